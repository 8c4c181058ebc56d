# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Values

from trytond.i18n import gettext
from trytond.model import ModelSQL, Unique, fields
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, without_check_access

from .bulk import SLICE
from .document import LedgerMixin
from .exceptions import MemberValidationError


class Number(LedgerMixin, ModelSQL):
    # Those of deleted applicants, and of admissions that were taken back,
    # which are never given again
    __name__ = 'coop.member.number'
    __string__ = "Member Number"

    company = fields.Many2One('company.company', "Company", required=True)
    number = fields.Char("Number", required=True)

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('number_unique', Unique(t, t.company, t.number),
                'coop_membership.msg_member_number_unique'),
            ]

    @classmethod
    @without_check_access
    def check(cls, company, numbers):
        "Check that the numbers were not given once"
        for sub_numbers in grouped_slice(numbers, SLICE):
            if used := cls.search([
                        ('company', '=', int(company)),
                        ('number', 'in', list(sub_numbers)),
                        ], limit=1):
                raise MemberValidationError(gettext(
                        'coop_membership.msg_member_number_deleted',
                        number=used[0].number))

    @classmethod
    def keep(cls, members):
        "Keep the numbers of the members for ever"
        numbers = {
            (m.company.id, m.number) for m in members if m.number}
        for company in {c for c, _ in numbers}:
            numbers -= {(company, n.number) for n in cls.search([
                        ('company', '=', company),
                        ('number', 'in', [
                                n for c, n in numbers if c == company]),
                        ])}
        cls.create([
                {'company': c, 'number': n} for c, n in sorted(numbers)])

    @classmethod
    def give(cls, company, members):
        "Give the next numbers to the members who have none"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Member = pool.get('coop.member')
        members = [m for m in members if not m.number]
        sequence = Configuration(1).get_multivalue(
            'member_sequence', company=company.id)
        numbered = []
        while members:
            numbers = list(sequence.get_many(len(members)))
            # A number given by hand or by an import may come again
            used = set()
            for sub_numbers in grouped_slice(numbers, SLICE):
                domain = [
                    ('company', '=', company.id),
                    ('number', 'in', list(sub_numbers)),
                    ]
                used.update(m.number for m in Member.search(domain))
                used.update(n.number for n in cls.search(domain))
            numbers = [n for n in numbers if n not in used]
            numbered.extend(zip(map(int, members), numbers))
            members = members[len(numbers):]
        # As each has another number, a save would write them one by one
        table = Member.__table__()
        cursor = Transaction().connection.cursor()
        for sub_numbered in grouped_slice(numbered, SLICE):
            values = Values(list(sub_numbered))
            cursor.execute(*table.update(
                    [table.number], [values.column2],
                    from_=[values],
                    where=table.id == values.column1))
