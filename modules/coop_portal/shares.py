# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval
from trytond.transaction import Transaction, check_access

from .member import as_data
from .request import for_kind


class Request(metaclass=PoolMeta):
    __name__ = 'coop.portal.request'
    _internal = frozenset({'subscription'})

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '!=', 'allocated'),
            ],
        states=for_kind('shares', required=True))
    quantity_digits = fields.Function(
        fields.Integer("Quantity Digits"), 'on_change_with_quantity_digits')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', 0)),
        domain=['OR',
            ('quantity', '=', None),
            ('quantity', '>', 0),
            ],
        states=for_kind('shares', required=True))
    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription", readonly=True,
        ondelete='RESTRICT', states=for_kind('shares'))

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

    def accept_shares(self):
        pool = Pool()
        Date = pool.get('ir.date')
        Subscription = pool.get('coop.share.subscription')
        with Transaction().set_context(company=self.company.id):
            today = Date.today()
        with check_access():
            subscription, = Subscription.create([{
                        'company': self.company.id,
                        'member': self.member.id,
                        'share_class': self.share_class.id,
                        'quantity': self.quantity,
                        'date': today,
                        }])
            Subscription.confirm([subscription])
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
