"""Errors an operator can mend: shown as one message, never as a stack trace."""


class OperatorError(Exception):
    """Something outside the program is not as it must be; the message says what to do."""


class SettingsError(OperatorError):
    """Settings are missing or refused; the message lists every one of them."""


class EngineError(OperatorError):
    """An engine or another child process cannot be started or reached."""
