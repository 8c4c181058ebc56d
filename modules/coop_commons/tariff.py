# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction

from . import rating
from .drafting import DraftingMixin
from .exceptions import TariffError
from .for_resource import ForResource
from .sealed import SealedPartMixin

AUDIENCES = [
    (None, ""),
    ('member', "Members"),
    ('non_member', "Non-members"),
    ('internal', "The Cooperative itself"),
    ]


def get_audience(cost_center, category):
    "Return as what a user is charged, a member has a category"
    if cost_center:
        return 'internal'
    elif category:
        return 'member'
    return 'non_member'


class Tariff(ForResource, DocumentMixin, DraftingMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.tariff'
    __string__ = "Tariff"
    # Another version is decided on again
    _not_copied = {'resolution'}
    _search_names = ('name', 'resource.rec_name', 'category.rec_name')
    _modify_states = {'approved': {'name', 'valid_until'}}
    _sealed_states = {'approved': {'name', 'valid_until', 'approved_by'}}
    _delete_states = {'draft', 'cancelled'}
    _internal = {'approved_by'}
    _date_order = (
        ('valid_from', 'valid_until', 'coop_commons.msg_tariff_dates'),)

    name = fields.Char("Name", required=True, translate=True)
    audience = fields.Selection(
        AUDIENCES, "Audience", sort=False,
        help="Who is charged by the tariff.\n"
        "Leave empty for everybody.")
    member_categories = fields.Many2Many(
        'coop.commons.tariff-coop.member.category', 'tariff', 'category',
        "Member Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Eval('audience') != 'member',
            },
        help="Leave empty for all members.")
    valid_from = fields.Date("Valid from", required=True)
    valid_until = fields.Date(
        "Valid until",
        domain=[
            If(Eval('valid_until') & Eval('valid_from'),
                ('valid_until', '>=', Eval('valid_from')),
                ()),
            ])
    lowest_price = fields.Boolean(
        "Lowest Price",
        help="Check to charge by the cheapest of the tariffs that apply "
        "and have this checked.")
    components = fields.One2Many(
        'coop.commons.tariff.component', 'tariff', "Components",
        states={
            'required': Eval('state') == 'approved',
            })
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ('result', '=', 'carried'),
            ],
        help="The resolution that approved the tariff.")
    approved_by = employee_field(
        "Approved by", states=['approved', 'cancelled'])
    state = fields.Selection([
            ('draft', "Draft"),
            ('approved', "Approved"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        # It may have prices in another currency than the company
        cls.currency = fields.Many2One(
            'currency.currency', "Currency", required=True)
        cls._order.insert(0, ('valid_from', 'DESC'))
        cls._transitions.add(('draft', 'approved'))
        cls._buttons.update({
                'approve': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_currency(cls):
        pool = Pool()
        Company = pool.get('company.company')
        company = Transaction().context.get('company')
        if company is not None and company >= 0:
            return Company(company).currency.id

    @property
    def _key(self):
        return (
            self.company, self.resource, self.category, self.audience,
            frozenset(self.member_categories))

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    @set_employee('approved_by')
    def approve(cls, tariffs):
        claim(r for t in tariffs for r in [t.resource, t.category])
        approved = []
        # Each may end one of those that are approved with it
        for tariff in sorted(tariffs, key=lambda t: (t.valid_from, t.id)):
            to_save = []
            for other in cls.search([
                        ('company', '=', tariff.company.id),
                        ['OR',
                            ('state', '=', 'approved'),
                            ('id', 'in', approved),
                            ],
                        ('resource', '=', tariff.resource),
                        ('category', '=', tariff.category),
                        ('audience', '=', tariff.audience),
                        ('lowest_price', '=', False),
                        ['OR',
                            ('valid_until', '=', None),
                            ('valid_until', '>=', tariff.valid_from),
                            ],
                        ]):
                if (tariff.lowest_price or other._key != tariff._key
                        or (tariff.valid_until
                            and other.valid_from > tariff.valid_until)):
                    continue
                if other.valid_until or other.valid_from >= tariff.valid_from:
                    raise TariffError(gettext(
                            'coop_commons.msg_tariff_overlap',
                            tariff=tariff.rec_name,
                            other=other.rec_name))
                # The new version ends the one before
                other.valid_until = tariff.valid_from - dt.timedelta(days=1)
                to_save.append(other)
            cls.save(to_save)
            approved.append(tariff.id)

    def match(self, resource, date, audience, category):
        "Return how closely the tariff applies, nothing if it does not"
        if (date < self.valid_from
                or (self.valid_until and date > self.valid_until)
                or not self.is_for(resource)
                or (self.audience and self.audience != audience)
                or (self.member_categories
                    and category not in {
                        c.id for c in self.member_categories})):
            return None
        return (
            bool(self.resource), bool(self.member_categories),
            bool(self.audience), self.valid_from, self.id)

    @classmethod
    def lock_approved(cls, companies):
        claim(cls.search([
                    ('company', 'in', [c.id for c in companies]),
                    ('state', '=', 'approved'),
                    ], order=[('id', 'ASC')]))

    @classmethod
    def find(cls, tariffs, resource, date, audience, category=None):
        """Return which of the tariffs apply: none, the closest one or those
        of which the cheapest wins"""
        matches = []
        for tariff in tariffs:
            match = tariff.match(resource, date, audience, category)
            if match:
                matches.append((match, tariff))
        if not matches:
            return []
        _, closest = max(matches)
        if closest.lowest_price:
            return [t for _, t in matches if t.lowest_price]
        return [closest]

    @classmethod
    def get_audience_name(cls, audience):
        selection = cls.fields_get(['audience'])['audience']['selection']
        return dict(selection)[audience]

    def get_rating(self, resource, mode=None):
        "Return the tariff as the rating takes it"
        return rating.Tariff(
            self.id, tuple(c.get_rating() for c in self.components),
            resource.zone, mode or resource.charge_mode)


class TariffMemberCategory(SealedPartMixin, ModelSQL):
    __name__ = 'coop.commons.tariff-coop.member.category'
    _document = 'tariff'

    tariff = fields.Many2One(
        'coop.commons.tariff', "Tariff", required=True, ondelete='CASCADE')
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('tariff')
