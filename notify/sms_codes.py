"""The SMS gateway's answer codes and what follows each. The one place that knows them."""

from collections.abc import Mapping

from notify.outcome import Action

ACTIONS: Mapping[str, Action] = {
    "isv.BUSINESS_LIMIT_CONTROL": "retry",  # per number: codes 1/min 5/h 10/day, notices 50/day
    "isp.SYSTEM_ERROR": "retry",
    "InternalError": "retry",
    "ServiceUnavailable": "retry",
    "ServiceUnavailableTemporary": "retry",
    "SignatureNonceUsed": "retry",
    "Throttling": "retry",
    "Throttling.Api": "retry",
    "Throttling.User": "retry",
    "isv.MOBILE_NUMBER_ILLEGAL": "other_channel",
    "isv.BLACK_KEY_CONTROL_LIMIT": "give_up",  # a parameter holds a forbidden word
    "isv.PARAM_LENGTH_LIMIT": "give_up",
    "isv.PARAM_NOT_SUPPORT_URL": "give_up",
    "InvalidAccessKeyId.NotFound": "alarm",
    "InvalidTimeStamp.Expired": "alarm",
    "SignatureDoesNotMatch": "alarm",
    "isp.RAM_PERMISSION_DENY": "alarm",
    "isv.ACCOUNT_ABNORMAL": "alarm",
    "isv.ACCOUNT_NOT_EXISTS": "alarm",
    "isv.AMOUNT_NOT_ENOUGH": "alarm",
    "isv.DAY_LIMIT_CONTROL": "alarm",  # our own daily ceiling
    "isv.INVALID_JSON_PARAM": "alarm",
    "isv.INVALID_PARAMETERS": "alarm",
    "isv.MONTH_LIMIT_CONTROL": "alarm",
    "isv.OUT_OF_SERVICE": "alarm",
    "isv.PRODUCT_UNSUBSCRIBE": "alarm",
    "isv.PRODUCT_UN_SUBSCRIPT": "alarm",
    "isv.SMS_SIGNATURE_ILLEGAL": "alarm",
    "isv.SMS_TEMPLATE_ILLEGAL": "alarm",
    "isv.TEMPLATE_MISSING_PARAMETERS": "alarm",
    "isv.TEMPLATE_PARAMS_ILLEGAL": "alarm",
}


def action_for(code: str) -> Action:
    """What follows a code; one that is not known needs an operator."""
    return ACTIONS.get(code, "alarm")
