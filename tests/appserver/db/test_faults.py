"""What errors mean, in every wrapping in which they come."""

from __future__ import annotations

import pytest
from pymysql.err import InterfaceError, InternalError
from pymysql.err import OperationalError as DriverError
from sqlalchemy.exc import IntegrityError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from confero.appserver.db.faults import Fault, fault_of


def wrapped(error: Exception) -> OperationalError:
    return OperationalError("SELECT 1", {}, error)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (wrapped(DriverError(1213, "Deadlock found")), Fault.CONFLICT),
        (wrapped(DriverError(1205, "Lock wait timeout exceeded")), Fault.CONFLICT),
        (DriverError(1213, "Deadlock found"), Fault.CONFLICT),
        (wrapped(DriverError(2013, "Lost connection")), Fault.LOST),
        (wrapped(DriverError(1927, "Connection was killed")), Fault.LOST),
        (wrapped(DriverError(1047, "WSREP has not yet prepared node for application use")), Fault.LOST),
        (wrapped(InternalError("Packet sequence number wrong - got 0 expected 1")), Fault.LOST),
        (wrapped(InterfaceError("Cancelled during execution")), Fault.LOST),
        (wrapped(InterfaceError("(0, 'Not connected')")), Fault.LOST),
        (ConnectionResetError(104, "Connection reset by peer"), Fault.LOST),
        (wrapped(BrokenPipeError(32, "Broken pipe")), Fault.LOST),
        (wrapped(DriverError(2003, "Can't connect")), Fault.AWAY),
        (wrapped(DriverError(1045, "Access denied")), Fault.AWAY),
        (wrapped(DriverError(1040, "Too many connections")), Fault.FULL),
        (PoolTimeout("QueuePool limit"), Fault.FULL),
        (TimeoutError(), Fault.SLOW),
        (wrapped(DriverError(1969, "max_statement_time exceeded")), Fault.SLOW),
        (wrapped(DriverError(1146, "Table 'x' doesn't exist")), Fault.STATEMENT),
        (IntegrityError("INSERT", {}, DriverError(1062, "Duplicate entry")), Fault.STATEMENT),
        (InvalidRequestError("no code at all"), Fault.STATEMENT),
    ],
)
def test_faults(error: Exception, fault: Fault) -> None:
    assert fault_of(error) is fault
