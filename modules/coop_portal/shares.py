# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import fields
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Bool, Eval
from trytond.transaction import Transaction, check_access, without_check_access

from .application import for_kind
from .exceptions import RequestError
from .member import as_data

# More than this nobody means, and the office is there for who does
MOST = 10 ** 9


class Request(metaclass=PoolMeta):
    __name__ = 'coop.portal.request'
    _internal = frozenset({'subscription'})

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '!=', 'allocated'),
            ],
        states={
            **for_kind('shares', 'application'),
            'required': (Eval('kind') == 'shares') | Bool(Eval('quantity')),
            })
    quantity_digits = fields.Function(
        fields.Integer("Quantity Digits"), 'on_change_with_quantity_digits')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', 0)),
        domain=['OR',
            ('quantity', '=', None),
            ('quantity', '>', 0),
            ],
        states={
            **for_kind('shares', 'application'),
            'required': (
                (Eval('kind') == 'shares') | Bool(Eval('share_class'))),
            })
    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription", readonly=True,
        ondelete='RESTRICT', states=for_kind('shares', 'application'))

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.kind.selection.insert(-2, ('shares', "Further Shares"))

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        return self.share_class.quantity_digits if self.share_class else 0

    @classmethod
    def open_classes(cls, company):
        "Return the share classes of which members may ask for shares"
        ShareClass = Pool().get('coop.share.class')
        return ShareClass.search([
                ('company', '=', company),
                ('kind', '!=', 'allocated'),
                ])

    def exit_amounts(self):
        member = self.member
        return [
            *super().exit_amounts(),
            (member.__names__(field='share_amount')['field'],
                member.share_amount),
            ]

    @classmethod
    def validate_fields(cls, requests, field_names):
        super().validate_fields(requests, field_names)
        if field_names and not (field_names & {'quantity', 'share_class'}):
            return
        for request in requests:
            if request.quantity and request.share_class:
                request._check_quantity()

    def _check_quantity(self):
        "Check that somebody may mean the quantity"
        class_ = self.share_class
        if (self.quantity * class_.par_value > MOST
                or class_.maximum is not None
                and self.quantity > class_.maximum):
            raise RequestError(gettext(
                    'coop_portal.msg_request_quantity',
                    share_class=class_.rec_name))

    def accept_application(self):
        "Draft the subscription, which waits for the admission"
        super().accept_application()
        if self.share_class:
            self._subscribe()

    def accept_shares(self):
        Subscription = Pool().get('coop.share.subscription')
        with check_access():
            self._subscribe()
            Subscription.confirm([self.subscription])

    def _subscribe(self):
        pool = Pool()
        Date = pool.get('ir.date')
        Subscription = pool.get('coop.share.subscription')
        with Transaction().set_context(company=self.company.id):
            today = Date.today()
        subscription, = Subscription.create([{
                    'company': self.company.id,
                    'member': self.member.id,
                    'share_class': self.share_class.id,
                    'quantity': self.quantity,
                    'date': today,
                    }])
        with without_check_access():
            self.subscription = subscription
            self.save()


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @property
    def personal_data(self):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        return {
            **super().personal_data,
            'subscriptions': as_data(
                Subscription.search([('member', '=', self.id)]),
                ['number', 'date', 'share_class', 'quantity', 'price',
                    'total_amount', 'paid_amount', 'state']),
            'redemptions': as_data(
                Redemption.search([('member', '=', self.id)]),
                ['number', 'request_date', 'end_date', 'share_class',
                    'quantity', 'amount', 'state']),
            }
