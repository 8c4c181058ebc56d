# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.exceptions import UserError


class RateError(UserError):
    pass


class SettlementError(UserError):
    pass


class EngagementError(UserError):
    pass
