# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from sql import Cast, Null, Union
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce
from sql.functions import Round

from trytond.model import Index, fields
from trytond.modules.coop_commons import local_time
from trytond.modules.coop_commons.usage import CONFIRMED
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice, timezone as tz
from trytond.transaction import Transaction, without_check_access


class Category(metaclass=PoolMeta):
    __name__ = 'coop.patronage.category'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.source.selection += [
            ('commons', "Use of the Commons"),
            ]


class Activity(metaclass=PoolMeta):
    __name__ = 'coop.patronage.activity'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + ['coop.commons.usage']

    @classmethod
    def _query_commons(cls, category):
        pool = Pool()
        Member = pool.get('coop.member')
        Usage = pool.get('coop.commons.usage')
        usage = Usage.__table__()
        member = Member.__table__()
        amounts = cls._usage_amounts(category)
        table = (usage
            .join(member, 'LEFT', condition=usage.member == member.id)
            .join(amounts, 'LEFT', condition=amounts.usage == usage.id))
        quantity = Null
        if category.unit:
            quantities = cls._usage_quantities(category)
            table = table.join(quantities,
                'INNER' if category.measure == 'quantity' else 'LEFT',
                condition=quantities.usage == usage.id)
            quantity = quantities.quantity
        return table, {
            'id': usage.id,
            'party': Coalesce(member.party, usage.party),
            'date': usage.end_date,
            'quantity': quantity,
            'amount': amounts.amount,
            'origin': Usage.__name__,
            }, (
                (usage.company == category.company.id)
                & usage.state.in_(CONFIRMED)
                & (usage.cost_center == Null))

    @classmethod
    def _usage_quantities(cls, category):
        "Return the query of the quantity of each usage"
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Unit = pool.get('product.uom')
        line = Quantity.__table__()
        unit = Unit.__table__()
        return line.join(unit, condition=line.unit == unit.id).select(
            line.usage,
            Round(Sum(Cast(
                        line.quantity * unit.factor / category.unit.factor,
                        'NUMERIC')), 6).as_('quantity'),
            where=unit.category == category.unit.category.id,
            group_by=line.usage)

    @classmethod
    def _usage_amounts(cls, category):
        "Return the query of the amount of each usage in company currency"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Component = pool.get('coop.commons.tariff.component')
        Currency = pool.get('currency.currency')
        Tariff = pool.get('coop.commons.tariff')
        charge = Charge.__table__()
        component = Component.__table__()
        tariff = Tariff.__table__()
        from_rate = Currency.currency_rate_sql()
        to_rate = Currency.currency_rate_sql()
        currency = category.company.currency.id

        def at_date(rate, date):
            return (
                (rate.start_date <= date)
                & ((rate.end_date == Null) | (rate.end_date > date)))

        return (charge
            .join(component, condition=charge.component == component.id)
            .join(tariff, condition=component.tariff == tariff.id)
            .join(from_rate, 'LEFT',
                condition=(tariff.currency != currency)
                & (from_rate.currency == tariff.currency)
                & at_date(from_rate, charge.date))
            .join(to_rate, 'LEFT',
                condition=(tariff.currency != currency)
                & (to_rate.currency == currency)
                & at_date(to_rate, charge.date))
            .select(
                charge.usage,
                Sum(Case(
                        (tariff.currency == currency, charge.amount),
                        else_=charge.amount * to_rate.rate
                        / from_rate.rate)).as_('amount'),
                group_by=charge.usage))

    @classmethod
    def _billed_lines(cls):
        "Return the query of the invoice lines that come from usage"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Pack = pool.get('coop.commons.pack')
        # What a pack has prepaid is charged when it is used
        return Union(*(
                table.select(
                    table.invoice_line, where=table.invoice_line != Null)
                for table in [Charge.__table__(), Pack.__table__()]))

    @classmethod
    def _where_invoice(cls, category, line, credited_line):
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        where = super()._where_invoice(category, line, credited_line)
        with without_check_access():
            categories = Category.browse(
                Transaction().context.get('categories') or [])
        # What is counted as usage is not counted again when it is billed
        if (category.source == 'customer_invoice'
                and any(c.source == 'commons' for c in categories)):
            where &= (
                ~line.id.in_(cls._billed_lines())
                & ((credited_line.id == Null)
                    | ~credited_line.id.in_(cls._billed_lines())))
        return where


class Usage(metaclass=PoolMeta):
    __name__ = 'coop.commons.usage'

    end_date = fields.Date(
        "End Date", readonly=True,
        help="The day of the end in the time zone of the resource, "
        "on which the usage counts as patronage.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_indexes.add(Index(t, (t.end_date, Index.Range())))

    @classmethod
    def __register__(cls, module_name):
        table_h = cls.__table_handler__(module_name)
        fill = not table_h.column_exist('end_date')
        super().__register__(module_name)
        if fill:
            cls._fill_end_date()

    @classmethod
    def _fill_end_date(cls):
        "Set the date of the usages from before the module was activated"
        pool = Pool()
        Company = pool.get('company.company')
        Resource = pool.get('coop.commons.resource')
        company = Company.__table__()
        resource = Resource.__table__()
        usage = cls.__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*usage
            .join(resource, condition=usage.resource == resource.id)
            .join(company, condition=resource.company == company.id)
            .select(usage.id, usage.start, usage.end,
                Coalesce(resource.timezone, company.timezone, 'UTC')))
        ids = defaultdict(list)
        for id_, start, end, timezone in cursor:
            date = local_time.get_local(
                end or start, tz.get_tzinfo(timezone)).date()
            ids[date].append(id_)
        for date, date_ids in ids.items():
            for sub_ids in grouped_slice(date_ids, SLICE):
                cursor.execute(*usage.update(
                        [usage.end_date], [date],
                        where=fields.SQL_OPERATORS['in'](
                            usage.id, list(sub_ids))))

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if field_names is None or field_names & {'start', 'end', 'resource'}:
            date = self.resource.get_local(self.end or self.start).date()
            if getattr(self, 'end_date', None) != date:
                values['end_date'] = date
        return values
