# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.modules.company import CompanyReport
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.report import Report
from trytond.transaction import Transaction, check_access

from .date import context_date, format_date
from .exceptions import RegisterError
from .member_party import valid


class RegisterColumn:
    "A column of the printed register"

    def __init__(self, name, report_context):
        Register = Pool().get('coop.member.register')
        self.name = name
        self.field = Register._fields[name]
        self.label = Register.fields_get([name])[name]['string']
        self.context = report_context

    def get(self, record):
        "Return the text of the record"
        value = getattr(record, self.name)
        if value is None:
            return ''
        elif self.field._type == 'date':
            return self.context['format_date'](
                value, self.context['user'].language)
        elif self.field._type == 'selection':
            return getattr(record, f'{self.name}_string')
        elif self.name == 'party':
            return record.member.names
        elif self.field._type == 'many2one':
            return value.rec_name
        elif self.field._type == 'text':
            return ', '.join(value.splitlines())
        elif self.is_number:
            return self._format_number(value)
        return value

    @property
    def is_number(self):
        return self.field._type in {'integer', 'float', 'numeric'}

    @property
    def total(self):
        if self.is_number:
            return self._format_number(sum(
                    getattr(r, self.name) or 0
                    for r in self.context['records']))
        return ''

    def _format_number(self, value):
        lang = self.context['user'].language
        # What is computed holds the field of its type
        if isinstance(getattr(self.field, '_field', self.field), Monetary):
            return self.context['format_currency'](
                value, lang, self.context['company'].currency)
        # Without the zeros of the database
        digits = max(-Decimal(value).normalize().as_tuple().exponent, 0)
        return self.context['format_number'](value, lang, digits=digits)


class RegisterReportMixin:
    __slots__ = ()

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Company = pool.get('company.company')
        Configuration = pool.get('coop.membership.configuration')
        Office = pool.get('coop.member.office')
        Register = pool.get('coop.member.register')
        context = super().get_context(records, header, data)
        company = context.setdefault(
            'company', Company(Transaction().context.get('company')))
        context['date'] = context_date()
        columns = (data.get('columns')
            or Configuration(1).get_multivalue(
                'register_columns', company=company.id))
        context['columns'] = [
            RegisterColumn(name, context)
            for name in Register.get_presets()[columns]]
        # The kinds of shares add them
        context['changes'] = []
        # Co-operative and Community Benefit Societies Act 2014, s. 30 (2) (e)
        context['officers'] = []
        if columns == 'uk':
            context['officers'] = Office.at_date(company, context['date'])
        return context


class RegisterReport(RegisterReportMixin, Report):
    __name__ = 'coop.member.register'

    @classmethod
    def execute(cls, ids, data):
        Register = Pool().get('coop.member.register')
        context = {
            name: data[name]
            for name in ['company', 'date', 'category', 'with_left']
            if name in data}
        with Transaction().set_context(context):
            if context:
                with check_access():
                    ids = [r.id for r in Register.search([])]
            return super().execute(ids, data)


class Extract(RegisterReportMixin, CompanyReport):
    __name__ = 'coop.member.extract'

    @classmethod
    def get_context(cls, records, header, data):
        Register = Pool().get('coop.member.register')
        context = super().get_context(records, header, data)
        date = context['date']
        with Transaction().set_context(
                company=context['company'].id, with_left=True,
                category=None):
            entries = {r.id: r for r in Register.search([
                        ('id', 'in', [r.id for r in records]),
                        ])}
        for member in records:
            if member.id not in entries:
                raise RegisterError(gettext(
                        'coop_membership.msg_register_no_entry',
                        member=member.rec_name,
                        date=format_date(date)))
        context['entry'] = lambda member: entries[member.id]
        context['memberships'] = lambda member: [
            m for m in member.memberships if m.start_date <= date]
        context['persons'] = lambda member: valid(member.persons, date)
        context['representatives'] = lambda member: [
            r for r in member.representatives if r.is_valid(date)]
        return context
