# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from functools import cached_property

from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.transaction import Transaction

from .assembly_table import Table, title
from .figures import Row, total


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
            row.movements = months
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
    def members_text(self):
        count, total = self.formats['count'], self.members_total
        return gettext('coop.msg_assembly_members_text',
            opening=count(total.opening),
            joined=count(total.joined),
            left=count(total.left),
            closing=count(total.closing))

    @property
    def members_table(self):
        table = Table([
                (name, self.formats['count']) for name in [
                    'opening', 'joined', 'left', 'changed', 'closing']],
            label=title('category'))
        for row in self.members:
            table.add_years(row.category.name, row)
        table.add_years(
            gettext('coop.msg_assembly_total'), self.members_total, 'total')
        return table

    @cached_property
    def holders(self):
        """How the members become those who hold shares at the end of the year

        Who left still holds shares until they are redeemed, and who has not
        subscribed yet holds none.
        """
        pool = Pool()
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        ShareMove = pool.get('coop.share.move')
        holders = {
            member for (member,), (quantity, amount)
            in ShareMove.holdings_at(
                self.company, self.end, by=('member',)).items()
            if quantity or amount}
        memberships = Membership.search([
                ('member.company', '=', self.company.id),
                ('start_date', '<=', self.end),
                ['OR',
                    ('end_date', '=', None),
                    ('end_date', '>', self.end),
                    # Who changes is counted until the day after, but who
                    # leaves on the last day is gone in the new year
                    [
                        ('end_date', '=', self.end),
                        ('exit_date', '=', None),
                        ],
                    ],
                ])
        members = {m.member.id for m in memberships}
        applicants = {
            m.id for m in Member.browse(list(holders - members))
            if not m.memberships}
        former = holders - members - applicants
        return Row(
            members=len(members),
            without=len(members - holders),
            former=len(former),
            applicants=len(applicants),
            holders=len(holders))

    @property
    def holders_table(self):
        table = Table([
                ('amount', self.formats['count'], self.fiscalyear.name),
                ('previous', self.formats['count'],
                    self.previous.fiscalyear.name if self.previous else ''),
                ])
        previous = self.previous.holders if self.previous else Row()
        differs = any(
            getattr(year, name, 0) for year in [self.holders, previous]
            for name in ['without', 'former', 'applicants'])
        if not differs:
            return table
        for name, sign, style in [
                ('members', 1, 'normal'), ('without', -1, 'normal'),
                ('former', 1, 'normal'), ('applicants', 1, 'normal'),
                ('holders', 1, 'total')]:
            row = Row(
                amount=sign * getattr(self.holders, name),
                previous=sign * getattr(previous, name, 0))
            if row.amount or row.previous or name in {'members', 'holders'}:
                table.add(
                    gettext(f'coop.msg_assembly_holders_{name}'), row, style)
        return table

    @property
    def members_chart(self):
        if len(self.years) > 1:
            return self._chart_rows(
                '_members', lambda r: r.category.name, 'closing')
        # The first year is shown as it went on
        labels = [label for label, _ in self.months]
        series = []
        for row in self._members:
            closing = {(m.month.year, m.month.month): m.closing
                for m in row.movements}
            counts, count = [], row.opening
            for _, month in self.months:
                count = closing.get(month, count)
                counts.append(count)
            series.append((row.category.name, counts))
        return self._chart(series, labels=labels, stacked=True)
