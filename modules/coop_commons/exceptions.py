# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.exceptions import UserError, UserWarning
from trytond.model.exceptions import ValidationError


class UsageError(ValidationError):
    pass


class TariffError(ValidationError):
    pass


class TariffMissing(UserError):
    pass


class ReadingError(ValidationError):
    pass


class BillingError(UserError):
    pass


class AddressError(UserError):
    pass


class PackError(UserError):
    pass


class AdvanceError(UserError):
    pass


class DepositError(UserError):
    pass


class CommitmentError(UserError):
    pass


class ContractError(UserError):
    pass


class RejectedError(UserError):
    pass


class SeriesError(UserError):
    pass


class BookingOverlapError(UserError):
    pass


class BookingChangeError(UserError):
    pass


class BookingRuleError(UserError):
    pass


class BookingRuleWarning(UserWarning):
    pass


class BookingQuotaWarning(UserWarning):
    pass


class BookingHitWarning(UserWarning):
    pass


class LateFinishWarning(UserWarning):
    pass


class BlackoutError(ValidationError):
    pass
