"""The demonstration: boto3 against a real S3 implementation, recorded, replayed without it, and then contradicted.

run.py: the steps and what must hold · upstream.py: the real service, a process of its own · script.py, deviation.py:
what a user's tests do, as processes of their own · tracing.py: what they say of each answer.
"""
