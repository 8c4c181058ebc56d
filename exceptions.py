# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.exceptions import UserError


class ConfigurationError(UserError):
    pass


class DatevError(UserError):
    pass


class LawSettingError(UserError):
    pass
