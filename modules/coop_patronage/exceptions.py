# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.exceptions import UserError
from trytond.model.exceptions import AccessError, ValidationError


class ActivityLocked(AccessError):
    pass


class EntryConflictError(ValidationError):
    pass


class ReassignmentValidationError(ValidationError):
    pass


class ElectionValidationError(ValidationError):
    pass


class AppropriationError(UserError):
    pass


class AllocationError(UserError):
    pass


class ApprovalError(UserError):
    pass


class PostError(UserError):
    pass


class RevolvementError(UserError):
    pass


class CancelError(UserError):
    pass


class UnclaimedError(UserError):
    pass


class RetainError(UserError):
    pass


class FundError(UserError):
    pass
