"""Jira Cloud and Data Center.

A search is read by ``jql`` and judged by ``query``; rich text is stored once and seen as wiki markup or ADF (``adf``).
"""
