"""Plays the world outside for development: WeChat, the SMS gateway and a citizen's phone.

Imports nothing of the project and no WeChat library, so that both sides of each contract are
written twice.
"""
