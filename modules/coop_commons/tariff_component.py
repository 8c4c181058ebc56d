# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields, sequence_ordered
from trytond.modules.product import price_digits
from trytond.pyson import Bool, Eval, Id, If

from . import rating
from .digits import not_negative
from .exceptions import TariffError
from .sealed import SealedPartMixin

PERIODS = [
    ('use', "Use"),
    ('day', "Day"),
    ('week', "Week"),
    ('month', "Month"),
    ('year', "Year"),
    ]
EVENTS = [
    (None, ""),
    ('cancellation', "Cancellation"),
    ('no_show', "No-show"),
    ('late_return', "Late Return"),
    ('early_return', "Early Return"),
    ]


def _get_seconds(delta):
    return None if delta is None else int(delta.total_seconds())


class Component(SealedPartMixin, sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.commons.tariff.component'
    __string__ = "Tariff Component"
    _document = 'tariff'

    tariff = fields.Many2One(
        'coop.commons.tariff', "Tariff", required=True, ondelete='CASCADE')
    name = fields.Char("Name", required=True, translate=True)
    kind = fields.Selection([
            ('time', "Time"),
            ('metered', "Metered"),
            ('fixed', "per Use"),
            ('event', "Event"),
            ], "Kind", required=True, sort=False,
        help="What is counted.")
    unit = fields.Many2One(
        'product.uom', "Unit", ondelete='RESTRICT',
        domain=[
            If(Eval('kind') == 'time',
                ('category', '=', Id('product', 'uom_cat_time')),
                ()),
            ],
        states={
            'required': Eval('kind').in_(['time', 'metered']),
            'invisible': ~Eval('kind').in_(['time', 'metered']),
            })
    per = fields.Selection([
            ('item', "Item"),
            ('booking', "Booking"),
            ], "Charged for each", required=True, sort=False,
        help="Item: who uses several pays for each as if it were used alone, "
        "with the tiers, the minimum and the cap of each.\n"
        "Booking: it is charged once, whatever number is used.")
    event = fields.Selection(
        EVENTS, "Event", sort=False,
        states={
            'required': Eval('kind') == 'event',
            'invisible': Eval('kind') != 'event',
            },
        help="What is charged for instead of a use.")
    event_notice = fields.TimeDelta(
        "Notice less than",
        states={
            'invisible': (
                (Eval('kind') != 'event')
                | (Eval('event') != 'cancellation')),
            },
        help="Charged if the booking is cancelled less than this before its "
        "start.\n"
        "Leave empty for any notice.")
    event_duration = fields.TimeDelta(
        "Duration at least",
        states={
            'invisible': Eval('kind') != 'event',
            },
        help="Charged if the time that is booked, late or given back is at "
        "least this.")
    time_share = fields.Numeric(
        "Share of the Time Charge", digits=(None, 6),
        states={
            'invisible': Eval('kind') != 'event',
            },
        help="The part of the charge of the time that is added to the price."
        "\nNegative for what is given back.")
    pricing = fields.Selection([
            ('unit', "per Unit"),
            ('graduated', "Graduated"),
            ('volume', "Volume"),
            ('package', "Package"),
            ], "Pricing", required=True, sort=False,
        help="How the price follows from the quantity.\n"
        "Graduated: each part of the quantity has the price of its tier.\n"
        "Volume: the whole quantity has the price of the tier it reaches.\n"
        "Package: each started package costs the price.")
    unit_price = fields.Numeric(
        "Price", digits=price_digits,
        states={
            'required': Eval('pricing').in_(['unit', 'package']),
            'invisible': ~Eval('pricing').in_(['unit', 'package']),
            })
    package = fields.Numeric(
        "Package Size", digits=(None, 6),
        domain=[
            If(Eval('pricing') == 'package', ('package', '>', 0), ()),
            ],
        states={
            'required': Eval('pricing') == 'package',
            'invisible': Eval('pricing') != 'package',
            })
    tiers = fields.One2Many(
        'coop.commons.tariff.tier', 'component', "Tiers",
        states={
            'required': Eval('pricing').in_(['graduated', 'volume']),
            'invisible': ~Eval('pricing').in_(['graduated', 'volume']),
            })
    tier_per = fields.Selection(
        PERIODS, "Counted per", required=True, sort=False,
        states={
            'invisible': Eval('pricing') == 'unit',
            },
        help="What is added up to find the tier or the package.")
    bands = fields.One2Many(
        'coop.commons.tariff.band', 'component', "Bands",
        states={
            'invisible': Eval('pricing') == 'package',
            },
        help="The hours that have another price.")
    rounding = fields.Selection([
            ('none', "None"),
            ('up', "Up to the Step"),
            ('clock', "Start down and End up on the Clock"),
            ], "Rounding", required=True, sort=False,
        states={
            'invisible': ~Eval('kind').in_(['time', 'metered']),
            })
    step = fields.Numeric(
        "Step", digits=(None, 6),
        domain=[
            If(Eval('rounding') != 'none', ('step', '>', 0), ()),
            ],
        states={
            'required': Eval('rounding') != 'none',
            'invisible': Eval('rounding') == 'none',
            },
        help="The smallest quantity that is charged, in the unit.")
    grace = fields.TimeDelta(
        "Grace",
        domain=[
            ['OR',
                ('grace', '=', None),
                ('grace', '>=', dt.timedelta()),
                ],
            ],
        states={
            'invisible': (
                (Eval('kind') != 'time') | (Eval('rounding') != 'up')),
            },
        help="The time over a step that is not charged.")
    minimum = fields.Numeric(
        "Minimum", digits=price_digits,
        domain=[
            ['OR', ('minimum', '=', None), ('minimum', '>=', 0)],
            ],
        help="The least that is charged for a use.")
    cap = fields.Numeric(
        "Cap", digits=price_digits,
        domain=[
            ['OR', ('cap', '=', None), ('cap', '>=', 0)],
            ],
        help="The most that is charged.")
    cap_per = fields.Selection([
            ('use', "Use"),
            ('24h', "24 Hours of Use"),
            *PERIODS[1:]], "Cap per", required=True, sort=False,
        states={
            'invisible': ~Eval('cap'),
            })
    included = fields.Numeric(
        "Included", digits=(None, 6),
        domain=[
            ['OR', ('included', '=', None), ('included', '>=', 0)],
            ],
        help="The quantity that is free.")
    included_per = fields.Selection(
        PERIODS, "Included per", required=True, sort=False,
        states={
            'invisible': ~Eval('included'),
            })
    subsidy = fields.Numeric(
        "Subsidy", digits=(None, 6),
        domain=['OR',
            ('subsidy', '=', None),
            [
                ('subsidy', '>=', 0),
                ('subsidy', '<=', 1),
                ],
            ],
        help="The part of the price that the cooperative bears.")
    subsidy_account = fields.Many2One(
        'account.account', "Subsidy Account", ondelete='RESTRICT',
        domain=[
            ('type.revenue', '=', True),
            ('closed', '!=', True),
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'required': Bool(Eval('subsidy')),
            'invisible': ~Eval('subsidy'),
            },
        help="The revenue account that shows what the cooperative bears.")
    product = fields.Many2One(
        'product.product', "Product", ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="What is billed.\n"
        "Leave empty for the product of the resource.")
    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('tariff')
        cls._sql_constraints.append((
                'not_negative', not_negative(
                    cls.__table__(), 'package', 'step', 'minimum', 'cap',
                    'included', 'subsidy'),
                'coop_commons.msg_not_negative'))

    @classmethod
    def default_kind(cls):
        return 'time'

    @classmethod
    def default_per(cls):
        return 'item'

    @classmethod
    def default_pricing(cls):
        return 'unit'

    @classmethod
    def default_tier_per(cls):
        return 'use'

    @classmethod
    def default_rounding(cls):
        return 'none'

    @classmethod
    def default_cap_per(cls):
        return 'use'

    @classmethod
    def default_included_per(cls):
        return 'use'

    @fields.depends('tariff', '_parent_tariff.company')
    def on_change_with_company(self, name=None):
        return self.tariff.company if self.tariff else None

    @classmethod
    def validate_fields(cls, components, field_names):
        super().validate_fields(components, field_names)
        for component in components:
            component.check_pricing()

    def check_pricing(self):
        if self.bands and (
                self.pricing == 'package'
                or (self.pricing != 'unit' and self.tier_per != 'use')):
            raise TariffError(gettext(
                    'coop_commons.msg_component_bands',
                    component=self.rec_name))
        if self.minimum and self.cap is not None and self.minimum > self.cap:
            raise TariffError(gettext(
                    'coop_commons.msg_component_minimum_cap',
                    component=self.rec_name))
        if self.kind == 'event' and self.pricing != 'unit':
            raise TariffError(gettext(
                    'coop_commons.msg_component_event',
                    component=self.rec_name))
        if self.kind == 'metered' and self.rounding == 'clock':
            raise TariffError(gettext(
                    'coop_commons.msg_component_clock',
                    component=self.rec_name))

    def get_rating(self):
        "Return the component as the rating takes it"
        seconds, months = 1, 0
        if self.kind == 'time':
            seconds, months = self.unit.get_length()
        zero = Decimal(0)
        return rating.Component(
            key=self.id,
            kind=self.kind,
            unit=self.unit.id if self.unit else None,
            seconds=seconds,
            months=months,
            per=self.per,
            pricing=self.pricing,
            unit_price=self.unit_price or zero,
            package=self.package or Decimal(1),
            tiers=tuple(t.get_rating() for t in self.tiers),
            tier_per=self.tier_per,
            bands=tuple(b.get_rating() for b in self.bands),
            rounding=self.rounding,
            step=self.step or zero,
            grace=_get_seconds(self.grace) or 0,
            minimum=self.minimum or zero,
            cap=self.cap,
            cap_per=self.cap_per,
            included=self.included or zero,
            included_per=self.included_per,
            subsidy=self.subsidy or zero,
            event=self.event if self.kind == 'event' else None,
            notice=self.event_notice,
            duration=self.event_duration or dt.timedelta(),
            time_share=self.time_share or zero)


class Tier(SealedPartMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.tariff.tier'
    __string__ = "Tariff Tier"
    _document = 'component'

    component = fields.Many2One(
        'coop.commons.tariff.component', "Component", required=True,
        ondelete='CASCADE')
    up_to = fields.Numeric(
        "Up to", digits=(None, 6),
        domain=[
            ['OR', ('up_to', '=', None), ('up_to', '>', 0)],
            ],
        help="The last quantity of the tier.\n"
        "Leave empty on the last tier.")
    unit_price = fields.Numeric("Price", digits=price_digits, required=True)
    flat = fields.Numeric(
        "Flat Amount", digits=price_digits,
        help="The amount that is charged once the tier is reached.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('component')
        cls._sql_constraints.append((
                'not_negative', not_negative(cls.__table__(), 'up_to'),
                'coop_commons.msg_not_negative'))
        cls._order = [('up_to', 'ASC NULLS LAST'), ('id', 'ASC')]

    def get_rec_name(self, name):
        if self.up_to is not None:
            return f'≤ {self.up_to.normalize():f}'
        return '∞'

    def get_rating(self):
        return rating.Tier(
            self.up_to, self.unit_price, self.flat or Decimal(0))


class Band(SealedPartMixin, sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.commons.tariff.band'
    __string__ = "Tariff Band"
    _document = 'component'

    component = fields.Many2One(
        'coop.commons.tariff.component', "Component", required=True,
        ondelete='CASCADE')
    name = fields.Char("Name", required=True, translate=True)
    days = fields.MultiSelection([
            ('0', "Monday"),
            ('1', "Tuesday"),
            ('2', "Wednesday"),
            ('3', "Thursday"),
            ('4', "Friday"),
            ('5', "Saturday"),
            ('6', "Sunday"),
            ], "Days", required=True, sort=False,
        help="The days on which the band starts.")
    start = fields.Time("Start", required=True)
    end = fields.Time(
        "End", required=True,
        help="On the next day if it is not after the start.")
    factor = fields.Numeric(
        "Factor", digits=(None, 6),
        domain=[
            ['OR', ('factor', '=', None), ('factor', '>=', 0)],
            ],
        states={
            'required': Eval('unit_price', None) == None,  # noqa: E711
            'invisible': Eval('unit_price', None) != None,  # noqa: E711
            },
        help="By how much the price is multiplied in the band.")
    unit_price = fields.Numeric(
        "Price", digits=price_digits,
        help="The price in the band, instead of a factor.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('component')
        cls._sql_constraints.append((
                'not_negative', not_negative(cls.__table__(), 'factor'),
                'coop_commons.msg_not_negative'))

    @classmethod
    def default_days(cls):
        return [str(i) for i in range(7)]

    @classmethod
    def default_start(cls):
        return dt.time()

    @classmethod
    def default_end(cls):
        return dt.time()

    @classmethod
    def default_factor(cls):
        return Decimal(1)

    def get_rating(self):
        return rating.Band(
            self.id, frozenset(map(int, self.days)), self.start, self.end,
            Decimal(1) if self.factor is None else self.factor,
            self.unit_price)
