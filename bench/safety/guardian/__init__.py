"""The guardian: a process that makes the bench safe when its owner no longer can.

It is started before any port is opened, knows the emergency recipe of every device as plain data, and
imports no driver: the standard library, and pyserial for serial ports. It lives in a session of its own.
"""
