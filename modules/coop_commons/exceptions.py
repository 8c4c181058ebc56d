# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.exceptions import UserError
from trytond.model.exceptions import ValidationError


class UsageError(ValidationError):
    pass


class UsageExistsError(UserError):
    pass


class TariffError(ValidationError):
    pass


class TariffMissing(UserError):
    pass


class BillingError(UserError):
    pass


class RateError(UserError):
    pass


class SettlementError(UserError):
    pass


class EngagementError(UserError):
    pass
