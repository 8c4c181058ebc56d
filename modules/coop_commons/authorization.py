# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from sql import Null

from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import SearchMixin
from trytond.pool import Pool
from trytond.pyson import Eval, If

from .for_resource import ForResource


class Authorization(ForResource, SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.authorization'
    __string__ = "Authorization"
    _search_names = (
        'member.rec_name', 'resource.rec_name', 'category.rec_name')

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    kind = fields.Selection([
            ('training', "Training"),
            ('licence', "Licence"),
            ], "Kind", required=True)
    valid_from = fields.Date("Valid from", required=True)
    valid_until = fields.Date(
        "Valid until",
        domain=[
            If(Eval('valid_until') & Eval('valid_from'),
                ('valid_until', '>=', Eval('valid_from')),
                ()),
            ])

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('dates', Check(t,
                    (t.valid_until == Null)
                    | (t.valid_until >= t.valid_from)),
                'coop_commons.msg_authorization_dates'),
            ]
        cls._order = [('valid_from', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_kind(cls):
        return 'training'

    @classmethod
    def default_valid_from(cls):
        return Pool().get('ir.date').today()

    def get_rec_name(self, name):
        return '%s - %s' % (
            self.member.rec_name,
            (self.resource or self.category).rec_name)

    @classmethod
    def is_valid(cls, member, resource, first, last):
        "Return whether the member is authorized on all the days"
        for authorization in cls.search([
                    ('member', '=', member.id),
                    cls.get_domain(resource),
                    ('valid_from', '<=', last),
                    ['OR',
                        ('valid_until', '=', None),
                        ('valid_until', '>=', first),
                        ],
                    ], order=[('valid_from', 'ASC')]):
            if authorization.valid_from > first:
                return False
            if (not authorization.valid_until
                    or authorization.valid_until >= last):
                return True
            first = max(
                first, authorization.valid_until + dt.timedelta(days=1))
        return False
