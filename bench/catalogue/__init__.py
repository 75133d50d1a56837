"""Shipped cases: pytest tests that run against a station.

A case uses only the fixtures of the plugin (`bench`, `vehicle`, `csms`, `timeline`). It plays a
course of events and does not judge: the rules do. What is open at its end is waited for before the plug is pulled.
"""

from __future__ import annotations

__all__ = ["CASES"]

CASES: dict[str, str] = {
    "session": "a complete AC session: plug, authorise, charge, limit to 16 A, pause, resume, remote stop, unplug",
    "idle": "a vehicle waits for its driver, who does not come: heartbeats, clock, status",
    "cable": "cables of 13, 20, 32 and 63 A, one after the other, as far as the envelope allows",
    "uncoded": "a plug without a coding, and a card",
    "ventilation": "the vehicle asks for ventilation: from the start, and while it charges",
    "limits": "20 A, then at once 10 A, then 0 A",
    "limit": "10 A, for a while nothing else, and then 16 A",
    "held_s2": "0 A while S2 is closed, which stays closed where no EV simulator opens it",
    "pause": "the vehicle pauses and stays paused",
    "metering": "charge until three periodic values have come",
    "clock_values": "values at whole multiples of 5 s and no others: in a transaction (2.x: only while there is none)",
    "plug_first": "the transaction shall begin with the plug (2.x: TxStartPoint EVConnected); the driver takes a while",
    "card_first": "the transaction shall begin with the card (2.x: TxStartPoint Authorized), and then the plug comes",
    "energy_first": "the transaction shall begin with the energy (2.x: TxStartPoint EnergyTransfer)",
    "energy": "charge 120 Wh",
    "local_stop": "the card that started the transaction stops it",
    "remote_start": "remote start, a stop of a transaction that there is not, remote stop, and that once more",
    "refused": "the back end refuses the token after the transaction has begun",
    "refused_goes_on": "the back end refuses the token, and the transaction may go on, without energy",
    "unplug_live": "unplugged while charging, plugged in again, a second transaction",
    "unplug_ends": "the cable is pulled at the vehicle while it charges: that ends the transaction, the plug is free",
    "unplug_goes_on": "the cable is pulled at the vehicle, and the transaction shall go on until the vehicle is back",
    "trigger": "the back end asks for messages while a vehicle charges",
    "nobody_plugs_in": "authorised by card, then from the back end, and no vehicle comes; 2.x: with a parking bay, too",
    "unlock": "the back end asks to unlock the plug while it charges",
    "availability": "out of service while charging: it becomes so after the transaction",
    "out_of_service": "out of service while idle, and a restart",
    "reset": "a hard reset while charging",
    "reset_resume": "2.1: a reset with resumption while charging, and one that has to be refused",
    "power_cut": "2.1: 2 s without supply while charging, charge on; 4 s without it, too long to resume",
    "limit_reached": "2.1: charge until a limit of the transaction is reached, and on when it is raised",
    "soft_reset": "a soft reset while charging (2.x: on idle, so that it waits for the end of the transaction)",
    "boot": "a restart whose boot is answered Pending, then Rejected, then Accepted",
    "retry": "the back end cannot process the message that ends the transaction",
    "slow_back_end": "the back end takes some seconds to answer the begin of the transaction",
    "back_end_restart": "the back end closes the connection in order, is away for a while, and the station comes back",
    "pings": "the station is told to ping every 2 s",
    "offline": "the connection is cut while charging; a second session without it; what waited is delivered",
    "residual_current": "a residual current while charging, by a relay of the bench or in the virtual one",
    "offline_end": "unplugged without connection: the end of the transaction is told afterwards",
    "offline_plug": "plugged in without connection: the status is told afterwards",
    "offline_start": "authorised, then plugged in without connection: the transaction is told afterwards",
    "pilot_faults": "shorted diode before the start; pilot short to PE and pilot lost while charging",
}
"""Name -> what it does. The case NAME lives in the module `case_NAME`."""
