# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import fields
from trytond.model.exceptions import AccessError
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .for_user import USER


class BookingOwn:
    "What every employee books by himself, and stewards for everybody"
    __slots__ = ()

    employee = fields.Many2One(
        'company.employee', "Booked by", readonly=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])

    @classmethod
    def default_employee(cls):
        pool = Pool()
        User = pool.get('res.user')
        user = User(Transaction().user)
        return user.employee.id if user.employee else None

    @classmethod
    def check_modification(cls, mode, records, values=None, external=False):
        super().check_modification(
            mode, records, values=values, external=external)
        if external and mode == 'create':
            cls.check_own_user(r.user for r in records)
        elif external and mode == 'write':
            pool = Pool()
            cls.check_own_user(
                pool.get(cls._fields[name].model_name)(values[name])
                for name in USER if values.get(name))

    @classmethod
    def is_steward(cls):
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        User = pool.get('res.user')
        return Transaction().user == 0 or ModelData.get_id(
            'coop_commons', 'group_commons_stewardship') in User.get_groups()

    @classmethod
    def check_own(cls, records):
        "Check that the user acts on what he has booked"
        pool = Pool()
        User = pool.get('res.user')
        if cls.is_steward():
            return
        employees = User.get_employees()
        for record in records:
            if not record.employee or record.employee.id not in employees:
                raise AccessError(gettext(
                        'coop_commons.msg_booking_own',
                        booking=record.rec_name))
        cls.check_own_user(r.user for r in records)

    @classmethod
    def check_own_user(cls, users):
        """Check that the employee books for himself

        Or for the cooperative, which has employed him.
        """
        pool = Pool()
        Employee = pool.get('company.employee')
        User = pool.get('res.user')
        if cls.is_steward():
            return
        own = {e.party for e in Employee.browse(User.get_employees())}
        for user in users:
            if user and user.__name__ == 'coop.member':
                party = user.party
            elif user and user.__name__ == 'party.party':
                party = user
            else:
                continue
            if party not in own:
                raise AccessError(gettext(
                        'coop_commons.msg_booking_own_user',
                        user=user.rec_name))
