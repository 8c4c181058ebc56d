# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from operator import itemgetter

from sql import Literal, Null, Union
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.period import DAY
from trytond.modules.coop_membership.rounding import half_up
from trytond.pool import Pool
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .dividend_line import DividendLine
from .exceptions import DividendError
from .share_days import (
    capital_years, counting_dates, first_day, holding, maximum_amount,
    monthly_mean, share_days)
from .tax import STANDARD, withhold

# The kinds of rows that give shares which nobody held before
ACQUIRED = ['issue', 'allocation', 'opening', 'revaluation']


class DividendComputation:
    "What each member gets of a dividend"
    __slots__ = ()

    @classmethod
    def create_lines(cls, dividend, rows, count):
        """Create the lines of the rows, which are a part of count

        Chunks do not lock the dividend, so that workers create them side by
        side.  Who locks it waits for their lines anyway, which refer to it.
        """
        if dividend.state != 'draft':
            return
        dividend._create_lines(rows)
        # Not before the lines of this chunk are there for everybody
        with Transaction().set_context(queue_name='coop'):
            cls.__queue__.close_lines(dividend, count)

    @classmethod
    def close_lines(cls, dividend, count):
        "Complete the computation, as soon as there are count lines"
        # Others may still be created, which would have to be waited for
        if len(dividend._line_ids()) < count:
            return
        cls.lock([dividend])
        if dividend.state == 'draft' and len(dividend._line_ids()) == count:
            cls._computed([dividend])

    def _create_lines(self, rows):
        Line = Pool().get('coop.share.dividend.line')
        # Another computation may have created some of them meanwhile
        members = {member for member, *_ in self._current_lines()}
        rows = [r for r in rows if r[0] not in members]
        for sub_rows in grouped_slice(rows, SLICE):
            Line.create([{
                        'dividend': self.id,
                        'member': member,
                        'basis': basis,
                        'gross': gross,
                        'withholding': withholding,
                        'church_tax': church_tax,
                        'exempt': exempt,
                        } for member, basis, gross, withholding, church_tax,
                        exempt in sub_rows])

    def _current_lines(self):
        "Return the lines by the values that are computed"
        pool = Pool()
        line = pool.get('coop.share.dividend.line').__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*line.select(
                line.member, line.basis, line.gross, line.withholding,
                line.church_tax, line.exempt, line.id,
                where=line.dividend == self.id))
        return {tuple(row): id_ for *row, id_ in cursor}

    @classmethod
    def _delete_lines(cls, ids):
        pool = Pool()
        Line = pool.get('coop.share.dividend.line')
        for sub_ids in grouped_slice(ids, SLICE):
            Line.delete(Line.browse(list(sub_ids)))

    def _compute_lines(self):
        "Return a list of the values of the lines, in their order"
        unit = self.currency.rounding
        bases, capitals = self._get_bases()
        self._check_cap(sum(capitals.values()))
        if self.method == 'rate':
            rate = Fraction(self.rate)
            gross = {
                m: half_up(rate * capital, unit)
                for m, capital in capitals.items()}
        else:
            gross = apportion(self.amount, bases, unit) if bases else {}
        if not any(gross.values()):
            raise DividendError(gettext(
                    'coop_shares.msg_dividend_nothing',
                    dividend=self.rec_name))
        places = Decimal(1).scaleb(-DividendLine.basis.digits[1])
        taxes = self._get_taxes(gross)
        return [(
                member, half_up(basis, places), gross[member],
                *taxes[member])
            for member, basis in bases.items()]

    def _get_taxes(self, gross):
        "Return by member what is withheld, church tax in it and exempt"
        pool = Pool()
        Withholding = pool.get('coop.withholding')
        member = pool.get('coop.member').__table__()
        if not self.withholding_rate:
            zero = self.currency.round(Decimal(0))
            return dict.fromkeys(gross, (zero, None, None))
        date = self.posting_date or self.end_date
        terms = Withholding.in_force(self.company, date)
        parties, exempted = {}, {}
        if terms:
            cursor = Transaction().connection.cursor()
            cursor.execute(*member.select(
                    member.id, member.party,
                    where=fields.SQL_OPERATORS['in'](
                        member.party, list(terms))))
            parties = dict(cursor)
            exempted = Withholding.exempted(
                self.company, date, excluded=self)
        taxes = {}
        for key, amount in gross.items():
            party = parties.get(key)
            tax = withhold(
                amount, self.withholding_rate, self.currency.rounding,
                self.exemption, terms.get(party, STANDARD),
                exempted.get(party, 0))
            taxes[key] = (
                tax.tax, tax.church_tax or None, tax.exempt or None)
        return taxes

    def _get_bases(self):
        "Return the basis and the capital for a year by member"
        bases, capitals = {}, {}
        measure = self._measure()
        for member, changes in self._get_changes():
            basis, capital = measure(changes)
            if basis > 0:
                bases[member], capitals[member] = basis, capital
        return bases, capitals

    @property
    def unrounded(self):
        "The amount of all lines if only their sum was rounded"
        if self.method == 'pot':
            return self.amount
        _, capitals = self._get_bases()
        return half_up(
            Fraction(self.rate) * sum(capitals.values()),
            self.currency.rounding)

    def _measure(self):
        "Return the function of changes that gives basis and capital"
        start, end = self.start_date, self.end_date
        basis = self.basis.removeprefix('paid_')
        if basis == 'share_days':
            def measure(changes):
                return (
                    share_days(changes, start, end),
                    capital_years(changes, start, end, self.year_length))
        else:
            years = capital_years(
                [(start, Decimal(1))], start, end, self.year_length)
            if basis == 'opening_balance':
                def balance(changes):
                    return Fraction(holding(changes, start))
            else:
                dates = counting_dates(start, end, self.cutoff_day)
                if not dates:
                    raise DividendError(gettext(
                            'coop_shares.msg_dividend_no_month',
                            dividend=self.rec_name,
                            day=self.cutoff_day))

                def balance(changes):
                    return monthly_mean(changes, dates)

            def measure(changes):
                basis = balance(changes)
                return basis, basis * years
        return measure

    def _check_cap(self, capital):
        pool = Pool()
        Lang = pool.get('ir.lang')
        if self.rate_cap is None or not capital:
            return
        if self.method == 'rate':
            rate = self.rate
            exceeded = rate > self.rate_cap
        else:
            rate = Fraction(self.amount) / capital
            rate = Decimal(rate.numerator) / rate.denominator
            exceeded = self.amount > maximum_amount(
                capital, self.rate_cap, self.currency.rounding)
        if exceeded:
            lang = Lang.get()
            raise DividendError(gettext(
                    'coop_shares.msg_dividend_cap',
                    dividend=self.rec_name,
                    rate=lang.format_number(rate * 100, digits=4),
                    maximum=lang.format_number(
                        self.rate_cap * 100, digits=4),
                    reason=self.cap_reason or ''))

    def _get_changes(self):
        "Yield each member with the list of the changes of the holding"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        cursor = Transaction().connection.cursor()
        in_ = fields.SQL_OPERATORS['in']
        classes = [c.id for c in self.classes]
        # What was held before the period counts from its first day
        before = self.start_date - DAY

        def clamp(date):
            return Case((date < before, before), else_=date).as_('date')

        rows = ShareMove._rows(
            lambda t, member, sign: [
                member.as_('member'),
                clamp(t.date),
                t.kind.as_('kind'),
                t.reversal_of.as_('reversal_of'),
                (t.amount * sign).as_('amount'),
                ],
            lambda t, member: (
                (t.state == 'done')
                & (t.company == self.company.id)
                & in_(t.share_class, classes)
                & (t.date <= self.end_date)))
        reversed_ = ShareMove.__table__()
        changes = (rows
            .join(reversed_, 'LEFT',
                condition=rows.reversal_of == reversed_.id)
            .select(
                rows.member.as_('member'), rows.date.as_('date'),
                Coalesce(reversed_.kind, rows.kind).in_(
                    ACQUIRED).as_('acquired'),
                rows.amount.as_('amount')))
        if self.basis.startswith('paid_'):
            changes = Union(
                changes, *self._get_unpaid_changes(clamp), all_=True)
        query = changes.select(
            changes.member, changes.date.as_('date'), changes.acquired,
            Sum(changes.amount).as_('amount'),
            group_by=[changes.member, changes.date, changes.acquired],
            order_by=[changes.member.asc, changes.date.asc])
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'DATE', None, 'NUMERIC'])
        cursor.execute(*query)
        for member, rows in groupby(cursor, key=itemgetter(0)):
            yield member, [(
                    first_day(date, acquired, self.first_day_counts),
                    self.currency.round(amount))
                for _, date, acquired, amount in rows]

    def _get_unpaid_changes(self, clamp):
        "Return the queries of the changes of what is held but not paid"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        Payment = pool.get('coop.share.subscription.payment')
        subscription = Subscription.__table__()
        payment = Payment.__table__()
        where = (
            subscription.state.in_(['confirmed', 'paid'])
            & (subscription.effective == 'confirmation')
            & (subscription.company == self.company.id)
            & fields.SQL_OPERATORS['in'](
                subscription.share_class, [c.id for c in self.classes])
            & (subscription.effective_date <= self.end_date))
        # What was paid before counts from the first day of the shares
        date = Case(
            (payment.date < subscription.effective_date,
                subscription.effective_date),
            else_=payment.date)
        return [
            subscription.select(
                subscription.member, clamp(subscription.effective_date),
                Literal(True).as_('acquired'),
                (-subscription.amount).as_('amount'),
                where=where),
            payment.join(
                subscription,
                condition=payment.subscription == subscription.id).select(
                subscription.member, clamp(date),
                # What a redemption releases ends with the shares
                (payment.redemption == Null).as_('acquired'),
                payment.capital_amount.as_('amount'),
                where=where & (payment.date <= self.end_date)),
            ]
