# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.exceptions import UserError, UserWarning
from trytond.model.exceptions import ValidationError


class AdmissionError(UserError):
    pass


class NoticeError(UserError):
    pass


class ExitError(UserError):
    pass


class RegisterError(UserError):
    pass


class HardshipWarning(UserWarning):
    pass


class SimilarMemberWarning(UserWarning):
    pass


class MemberValidationError(ValidationError):
    pass


class MembershipValidationError(ValidationError):
    pass


class CategoryChangeError(UserError):
    pass


class MeetingQuorumError(UserError):
    pass


class MeetingValidationError(ValidationError):
    pass


class RefusedError(UserError):
    pass


class ClaimError(UserError):
    pass


class LetterError(UserError):
    pass


class WizardError(UserError):
    pass


class FeeError(UserError):
    pass
