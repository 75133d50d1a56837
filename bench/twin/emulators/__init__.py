"""One emulator per instrument, each speaking its real wire protocol."""
