# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from dateutil.relativedelta import relativedelta
from sql.aggregate import Max

from trytond import backend
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.party.exceptions import EraseError
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .bulk import SLICE
from .date import format_date


def _year_end(date, years):
    return date + relativedelta(years=years, month=12, day=31)


class RetentionMixin:
    "Tell how long the data of members is kept"
    __slots__ = ()

    @classmethod
    def get_retention_date(cls, members, name):
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        configuration = Configuration(1)
        member = cls.__table__()
        line = Line.__table__()
        move = Move.__table__()
        cursor = Transaction().connection.cursor()
        dates = dict.fromkeys(map(int, members))
        left = [m for m in members if m.state in {'left', 'rejected'}]
        for company, c_members in groupby(
                sorted(left, key=lambda m: m.company.id),
                key=lambda m: m.company):
            c_members = {m.id: m for m in c_members}
            years = configuration.get_multivalue(
                'retention_years', company=company.id)
            accounting_years = configuration.get_multivalue(
                'accounting_retention_years', company=company.id)
            for id_, c_member in c_members.items():
                if c_member.memberships:
                    dates[id_] = _year_end(
                        c_member.memberships[-1].end_date, years)
            for sub_ids in grouped_slice(list(c_members), SLICE):
                query = (member
                    .join(line, condition=line.party == member.party)
                    .join(move,
                        condition=(line.move == move.id)
                        & (move.company == member.company))
                    .select(member.id.as_('id'), Max(move.date).as_('date'),
                        where=fields.SQL_OPERATORS['in'](
                            member.id, list(sub_ids)),
                        group_by=member.id))
                if backend.name == 'sqlite':
                    sqlite_apply_types(query, [None, 'DATE'])
                cursor.execute(*query)
                for id_, date in cursor:
                    date = _year_end(date, accounting_years)
                    dates[id_] = max(dates[id_] or date, date)
        return dates


class Erase(metaclass=PoolMeta):
    __name__ = 'party.erase'

    def check_erase_company(self, party, company):
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        for member in Member.search([
                    ('company', '=', company.id),
                    ('party', '=', party.id),
                    ]):
            if member.state not in {'left', 'rejected'}:
                raise EraseError(gettext(
                        'coop_membership.msg_erase_party_member',
                        party=party.rec_name,
                        company=company.rec_name))
            elif (member.retention_date
                    and Date.today() <= member.retention_date):
                raise EraseError(gettext(
                        'coop_membership.msg_erase_party_retention',
                        party=party.rec_name,
                        company=company.rec_name,
                        date=format_date(member.retention_date)))
        self._check_erase_representative(party, company)
        super().check_erase_company(party, company)

    @staticmethod
    def _check_erase_representative(party, company):
        "Check that the party belongs to no member any more, nor acts for one"
        pool = Pool()
        Date = pool.get('ir.date')
        for name, message in [
                ('representative', 'msg_erase_party_representative'),
                ('holder', 'msg_erase_party_belongs'),
                ('person', 'msg_erase_party_belongs')]:
            Model = pool.get(f'coop.member.{name}')
            if acting := Model.search([
                        ('party', '=', party.id),
                        ('member.company', '=', company.id),
                        ('member.state', 'in', [
                                'applicant', 'member', 'leaving']),
                        ['OR',
                            ('end_date', '=', None),
                            ('end_date', '>=', Date.today()),
                            ],
                        ], limit=1):
                raise EraseError(gettext(
                        f'coop_membership.{message}',
                        party=party.rec_name,
                        member=acting[0].member.rec_name))

    def to_erase(self, party_id):
        pool = Pool()
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        Person = pool.get('coop.member.person')
        Suspension = pool.get('coop.member.suspension')
        return super().to_erase(party_id) + [
            (Party, [('id', '=', party_id)], False, ['birth_date'], [None]),
            (Member, [('party', '=', party_id)], True,
                ['rejection_reason'], [None]),
            (Person, [('party', '=', party_id)], True, ['licence'], [None]),
            (Suspension, [('member.party', '=', party_id)], True,
                ['note'], [None]),
            ]
