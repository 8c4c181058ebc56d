# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from functools import cached_property

from trytond.pool import Pool
from trytond.transaction import Transaction

from .figures import total


class MembersFigures:
    "How many members came and went"

    @cached_property
    def members(self):
        return self._beside('_members')

    @cached_property
    def _members(self):
        "The movements of the year per category"
        Movement = Pool().get('coop.member.movement')
        with Transaction().set_context(
                company=self.company.id, from_date=self.start,
                to_date=self.end):
            movements = Movement.search([])
        by_category = defaultdict(list)
        for movement in movements:
            by_category[movement.category].append(movement)
        rows = []
        for category in sorted(
                by_category, key=lambda c: (c.name, c.id)):
            months = sorted(by_category[category], key=lambda m: m.month)
            row = total(months, 'joined', 'left', 'changed_in', 'changed_out')
            row.key = row.category = category
            row.changed = row.changed_in - row.changed_out
            row.opening = (
                months[0].opening if months[0].month <= self.start else 0)
            row.closing = row.opening + row.joined - row.left + row.changed
            rows.append(row)
        return rows

    @property
    def members_total(self):
        return self._total(
            '_members', 'opening', 'joined', 'left', 'changed', 'closing')

    @property
    def members_chart(self):
        return self._chart_rows(
            '_members', lambda r: r.category.name, 'closing')
