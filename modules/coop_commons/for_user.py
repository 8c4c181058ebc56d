# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.model import Check, fields
from trytond.pyson import Bool, Eval

__all__ = ['USER', 'ForPerson', 'ForUser']

USER = ('member', 'party', 'cost_center')


class ForUser:
    "For a member, a non-member or the cooperative itself"
    __slots__ = ()
    _user_required = True

    member = fields.Many2One(
        'coop.member', "Member", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    party = fields.Many2One(
        'party.party', "Non-member", ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    cost_center = fields.Many2One(
        'analytic_account.account', "Cost Centre", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '=', 'normal'),
            ],
        help="The analytic account of the cooperative itself that uses the "
        "resource.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        alone = []
        for name in USER:
            first, second = (n for n in USER if n != name)
            taken = Bool(Eval(first)) | Bool(Eval(second))
            field = getattr(cls, name)
            field.states['invisible'] = taken
            if cls._user_required:
                field.states['required'] = ~taken
            one = (getattr(t, first) == Null) & (getattr(t, second) == Null)
            if cls._user_required:
                one &= getattr(t, name) != Null
            alone.append(one)
        first, second, third = alone
        cls._sql_constraints.append((
                'one_user', Check(t, first | second | third),
                'coop_commons.msg_one_user'))

    @property
    def user(self):
        "The member, party or analytic account that uses the resource"
        return self.member or self.party or self.cost_center

    @property
    def payer(self):
        "The party that is billed"
        return self.member.party if self.member else self.party

    def get_user_domain(self):
        return [
            (name, '=', value.id if value else None)
            for name in USER for value in [getattr(self, name)]]


class ForPerson:
    "Used by somebody for the one who is billed"
    __slots__ = ()

    person = fields.Many2One(
        'party.party', "Person", ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Who used it, for instance drove, if that is not who is billed.")
