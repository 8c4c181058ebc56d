# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"What the law of a surplus plan asks a cooperative to switch on"
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields, sequence_ordered
from trytond.pool import Pool, PoolMeta

from .exceptions import LawSettingError

# The models of which the assistant makes a record, the others are
# configurations
CATEGORY, SHARE_CLASS = 'coop.member.category', 'coop.share.class'
_MODELS = [
    ('coop.membership.configuration', "Membership Configuration"),
    ('coop.share.configuration', "Share Configuration"),
    (CATEGORY, "Member Category"),
    (SHARE_CLASS, "Share Class"),
    ]


class Plan(metaclass=PoolMeta):
    __name__ = 'coop.surplus.plan'

    settings = fields.One2Many(
        'coop.configuration.setting', 'plan', "Settings",
        help="What the law asks for besides the surplus: the assistant that "
        "configures a cooperative sets it.")


class Setting(sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.configuration.setting'
    __string__ = "Setting of a Law"
    _rec_name = 'field'

    plan = fields.Many2One(
        'coop.surplus.plan', "Plan", required=True, ondelete='CASCADE')
    model = fields.Selection(_MODELS, "Of", required=True, sort=False,
        help="What the setting is made on.")
    field = fields.Char("Field", required=True,
        help="The name of the field.")
    value = fields.Char("Value", required=True,
        help="What is set: a number with a point, true, false, the key of a "
        "choice, or for an account its name in the chart.")
    source = fields.Char("Source", required=True,
        help="The law, with its article.")
    setting = fields.Function(fields.Char("Setting"), 'get_setting')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('plan')

    @property
    def _field(self):
        "The field that is set, or None"
        field = Pool().get(self.model)._fields.get(self.field)
        # A multi-value wraps it
        return getattr(field, '_field', field)

    @classmethod
    def get_setting(cls, settings, name):
        pool = Pool()
        return {
            s.id: pool.get(s.model).__names__(s.field)['field']
            for s in settings}

    def get_rec_name(self, name):
        return self.setting

    @classmethod
    def validate_fields(cls, settings, field_names):
        super().validate_fields(settings, field_names)
        for setting in settings:
            if not setting._field:
                raise LawSettingError(gettext(
                        'coop.msg_law_setting_field',
                        field=setting.field,
                        source=setting.source))

    def get_value(self, chart):
        "Return the value for the field, of the accounts of the chart"
        if self._field._type == 'many2one':
            return chart.get_account(tuple(self.value.split('.', 1)))
        elif self._field._type == 'boolean':
            return self.value == 'true'
        elif self._field._type == 'integer':
            return int(self.value)
        elif self._field._type == 'numeric':
            return Decimal(self.value)
        return self.value


def get_values(settings, chart):
    "Return by model the values of the settings"
    values = defaultdict(dict)
    for setting in settings:
        values[setting.model][setting.field] = setting.get_value(chart)
    return values
