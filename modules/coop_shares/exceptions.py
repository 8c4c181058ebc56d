# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.exceptions import UserError, UserWarning
from trytond.model.exceptions import ValidationError


class ShareClassValidationError(ValidationError):
    pass


class ShareMoveValidationError(ValidationError):
    pass


class HoldingError(UserError):
    pass


class LimitError(UserError):
    pass


class ReversalError(UserError):
    pass


class OpeningError(UserError):
    pass


class SubscriptionError(UserError):
    pass


class PaymentError(UserError):
    pass


class TransferError(UserError):
    pass


class RedemptionError(UserError):
    pass


class LastShareWarning(UserWarning):
    pass


class MinimumCapitalWarning(UserWarning):
    pass


class ObligatorySharesWarning(UserWarning):
    pass


class ResolutionError(UserError):
    pass


class RevaluationError(UserError):
    pass


class CallError(UserError):
    pass


class DividendError(UserError):
    pass


class DividendValidationError(ValidationError):
    pass


class CertificateError(UserError):
    pass


class ShareOfferValidationError(ValidationError):
    pass
