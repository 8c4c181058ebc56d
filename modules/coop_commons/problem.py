# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Literal, Null, Union
from sql.aggregate import Min
from sql.conditionals import Case, Coalesce
from sql.operators import Concat

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import by_company, full_name
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import sql_pairing
from trytond.transaction import Transaction, without_check_access

from .booking_availability import BLOCKING
from .slices import search_slices

KINDS = [
    ('unfinished', "Booking nobody finished"),
    ('unserved', "Booking of a closed Resource"),
    ('quantity', "Use that waits for its Quantities"),
    ('draft', "Use that is not confirmed"),
    ('unpriced', "Use without Price"),
    ('address', "Party without Address"),
    ('gap', "Gap of a Meter"),
    ('correction', "Correction of a Reading not done"),
    ]


class Problem(ModelSQL, ModelView):
    __name__ = 'coop.commons.problem'
    __string__ = "Problem"

    company = fields.Many2One('company.company', "Company")
    kind = fields.Selection(KINDS, "Problem", sort=False)
    record_name = fields.Function(
        fields.Char("Record"), 'get_record_name')
    record = fields.Reference("Open", selection='get_models')
    resource = fields.Many2One('coop.commons.resource', "Resource")
    party = fields.Many2One(
        'party.party', "Party",
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    date = fields.Date("Date", help="The day since when it waits.")
    to_do = fields.Function(
        fields.Char("To Do"), 'get_to_do')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('date', 'ASC'), ('id', 'ASC')]

    @classmethod
    def get_models(cls):
        Model = Pool().get('ir.model')
        return [(None, ''), *(
                (name, Model.get_name(name)) for name in [
                    'coop.commons.booking', 'coop.commons.reading',
                    'coop.commons.usage', 'party.party'])]

    def get_record_name(self, name):
        return full_name(self.record)

    def get_to_do(self, name):
        return gettext(f'coop_commons.msg_problem_{self.kind}')

    def get_rec_name(self, name):
        return self.record_name

    @classmethod
    def table_query(cls):
        rows = [
            *cls._bookings(),
            *cls._usages(),
            *cls._parties(),
            *cls._readings(),
            ]
        return Union(*(
                cls._select(index, len(rows), *row)
                for index, row in enumerate(rows)), all_=True)

    @classmethod
    def _select(cls, index, count, kind, model, from_, columns, options):
        id_ = columns.pop('id')
        key = columns.pop('key', id_)
        columns['date'] = cls.date.sql_cast(columns['date'])
        columns['kind'] = cls.kind.sql_cast(Literal(kind))
        columns['record'] = cls.record.sql_cast(Concat(f'{model},', id_))
        return from_.select(
            (key * count + index).as_('id'),
            *(columns[name].as_(name) for name in [
                    'company', 'kind', 'record', 'resource', 'party',
                    'date']),
            **options)

    @classmethod
    def _of_user(cls, table):
        "Return the table with its member, and the columns of both"
        member = Pool().get('coop.member').__table__()
        return table.join(
            member, 'LEFT', condition=table.member == member.id), {
            'id': table.id,
            'company': table.company,
            'resource': table.resource,
            'party': Coalesce(member.party, table.party),
            'date': table.date,
            }

    @classmethod
    def _bookings(cls):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        now = Booking._now()
        booking = Booking.__table__()
        yield 'unfinished', Booking.__name__, *cls._of_user(booking), {
            'where': booking.state.in_(BLOCKING) & (booking.end < now),
            }
        # Who reads the list may not read them
        with without_check_access():
            unserved = [b.id for b in Booking.find_unserved()]
        booking = Booking.__table__()
        yield 'unserved', Booking.__name__, *cls._of_user(booking), {
            'where': fields.SQL_OPERATORS['in'](booking.id, unserved),
            }

    @classmethod
    def _usages(cls):
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        # Who reads the list may not read them
        with without_check_access():
            waiting = {
                u.id for usages in search_slices(
                    Usage, [('state', '=', 'draft')])
                for u in Usage.find_missing(usages)}
        for kind in ['quantity', 'draft']:
            usage = Usage.__table__()
            waits = fields.SQL_OPERATORS['in'](usage.id, list(waiting))
            yield kind, Usage.__name__, *cls._of_user(usage), {
                'where': (usage.state == 'draft')
                & (waits if kind == 'quantity' else ~waits),
                }
        usage, back = Usage.__table__(), Usage.__table__()
        yield 'unpriced', Usage.__name__, *cls._of_user(usage), {
            'where': (usage.state == 'confirmed') & usage.unpriced
            & (usage.corrects == Null)
            & ~usage.id.in_(back.select(
                    back.corrects, where=back.corrects != Null)),
            }

    @classmethod
    def _parties(cls):
        "Those who owe something that can not be billed without an address"
        owing = Union(cls._owing_for_use(), *filter(None, (
                    cls._owing_for(name) for name in [
                        'coop.commons.commitment', 'coop.commons.contract'])),
            all_=True)
        yield 'address', 'party.party', owing, {
            'id': owing.party,
            'key': sql_pairing(owing.party, owing.company),
            'company': owing.company,
            'resource': cls.resource.sql_cast(Null),
            'party': owing.party,
            'date': Min(owing.date),
            }, {
            'group_by': [owing.party, owing.company],
            }

    @classmethod
    def _lacks_address(cls, party):
        address = Pool().get('party.address').__table__()
        return ~party.in_(address.select(
                address.party, where=address.active == Literal(True)))

    @classmethod
    def _owing_for_use(cls):
        usage = Pool().get('coop.commons.usage').__table__()
        from_, columns = cls._of_user(usage)
        party = columns['party']
        return from_.select(
            party.as_('party'), usage.company.as_('company'),
            usage.date.as_('date'),
            where=(usage.state == 'rated') & (party != Null)
            & cls._lacks_address(party))

    @classmethod
    def _owing_for(cls, name):
        """Return the query of those who owe for documents, without any use

        None if there are none.
        """
        pool = Pool()
        Date = pool.get('ir.date')
        Document = pool.get(name)
        document = Document.__table__()
        member = pool.get('coop.member').__table__()
        cursor = Transaction().connection.cursor()
        from_ = document.join(
            member, condition=document.member == member.id)
        cursor.execute(*from_.select(
                document.id,
                where=(document.state == 'confirmed')
                & cls._lacks_address(member.party)))
        since = {}
        # Who reads the list may not read them
        with without_check_access():
            for company, documents in by_company(
                    Document.browse([id_ for id_, in cursor])):
                with Transaction().set_context(company=company.id):
                    today = Date.today()
                for due, date in Document.find_due(documents, today):
                    since[due.id] = min(date, since.get(due.id, date))
        if not since:
            return
        return from_.select(
            member.party.as_('party'), document.company.as_('company'),
            Case(
                *((document.id == id_, date) for id_, date in since.items()),
                else_=document.valid_from).as_('date'),
            where=fields.SQL_OPERATORS['in'](document.id, list(since)))

    @classmethod
    def _readings(cls):
        "What was metered and is nobody's, and what is wrong until it is done"
        pool = Pool()
        Meter = pool.get('coop.commons.meter')
        Reading = pool.get('coop.commons.reading')
        for kind, get_where in [
                ('gap', lambda reading: (reading.state == 'done')
                    & (reading.incident == 'gap')),
                ('correction', lambda reading: (reading.state == 'draft')
                    & (reading.corrects != Null))]:
            reading, meter = Reading.__table__(), Meter.__table__()
            member = pool.get('coop.member').__table__()
            yield kind, Reading.__name__, (reading
                .join(meter, condition=reading.meter == meter.id)
                .join(member, 'LEFT',
                    condition=reading.member == member.id)), {
                'id': reading.id,
                'company': reading.company,
                'resource': meter.resource,
                'party': Coalesce(member.party, reading.party),
                'date': reading.time,
                }, {
                'where': get_where(reading),
                }
