"""Sending: bytes that others composed, to one recipient each, until a relay has accepted them.

Nothing here knows what a report is, nor reads a word of the mails it carries.
"""
