# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from itertools import groupby

from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.document import SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.rpc import RPC
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .exceptions import ActivityLocked, EntryConflictError


class Entry(SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.patronage.entry'
    __string__ = "Patronage Entry"
    _search_names = ('party.rec_name', 'category.rec_name', 'external_id')

    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    category = fields.Many2One(
        'coop.patronage.category', "Category", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('source', '=', 'entry'),
            ])
    date = fields.Date("Date", required=True)
    quantity = fields.Numeric("Quantity",
        states={
            'required': Eval('measure') == 'quantity',
            })
    amount = Monetary(
        "Amount", currency='currency', digits='currency',
        states={
            'required': Eval('measure') == 'amount',
            },
        help="The untaxed amount in the currency of the company.")
    company = fields.Many2One('company.company', "Company", required=True)
    external_id = fields.Char("External ID",
        help="Identifies the entry in the system it comes from, "
        "so that it is not recorded twice.")
    description = fields.Char("Description")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    measure = fields.Function(fields.Selection(
            'get_measures', "Measure"),
        'on_change_with_measure')

    @classmethod
    def __setup__(cls):
        cls.external_id.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._order.insert(0, ('date', 'DESC'))
        cls._sql_constraints += [
            ('external_id_unique',
                Unique(t, t.company, t.category, t.external_id),
                'coop_patronage.msg_entry_external_id_unique'),
            ]
        cls._sql_indexes.update({
                Index(t,
                    (t.category, Index.Equality()),
                    (t.date, Index.Range())),
                Index(t, (t.party, Index.Range()), (t.date, Index.Range())),
                })
        cls.__rpc__.update({
                'intake': RPC(readonly=False),
                })
        # The description does not change what is allocated
        cls._check_modify_exclude = {'description', 'external_id'}

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @classmethod
    def get_measures(cls):
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        return Category.fields_get(['measure'])['measure']['selection']

    @fields.depends('category')
    def on_change_with_measure(self, name=None):
        return self.category.measure if self.category else None

    def get_rec_name(self, name):
        return ' '.join(filter(None, [
                    self.party.rec_name, self.category.rec_name,
                    str(self.date), self.external_id]))

    @classmethod
    def intake(cls, vlist):
        """Create the entries that are not recorded yet.

        The values are those of create.  An entry of which the external id is
        recorded with the same values is left as it is, and refused with other
        values.  Returns the number of entries created.
        """
        names = ['party', 'date', 'quantity', 'amount']
        recorded = {}
        default_company = cls.default_company()
        to_create = []
        for values in vlist:
            values.setdefault('company', default_company)
            values['external_id'] = values.get('external_id') or None
        for key, rows in groupby(
                sorted((v for v in vlist if v['external_id']),
                    key=lambda v: (v['company'], v['category'])),
                key=lambda v: (v['company'], v['category'])):
            company, category = key
            for sub_rows in grouped_slice(list(rows), SLICE):
                for entry in cls.search([
                            ('company', '=', company),
                            ('category', '=', category),
                            ('external_id', 'in',
                                [v['external_id'] for v in sub_rows]),
                            ]):
                    recorded[(*key, entry.external_id)] = tuple(
                        entry.party.id if n == 'party' else getattr(entry, n)
                        for n in names)
        for values in vlist:
            key = (
                values['company'], values['category'], values['external_id'])
            row = tuple(values.get(n) for n in names)
            if not values['external_id']:
                to_create.append(values)
            elif key not in recorded:
                recorded[key] = row
                to_create.append(values)
            elif recorded[key] != row:
                raise EntryConflictError(gettext(
                        'coop_patronage.msg_entry_conflict',
                        external_id=values['external_id']))
        for sub_values in grouped_slice(to_create, SLICE):
            cls.create(list(sub_values))
        return len(to_create)

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if 'external_id' in values:
            values['external_id'] = values['external_id'] or None
        return values

    @classmethod
    def check_modification(cls, mode, entries, values=None, external=False):
        super().check_modification(
            mode, entries, values=values, external=external)
        if (mode == 'delete'
                or (mode == 'write'
                    and values.keys() - cls._check_modify_exclude)):
            cls.check_locked(entries)

    @classmethod
    def validate_fields(cls, entries, field_names):
        super().validate_fields(entries, field_names)
        if field_names and not (field_names - cls._check_modify_exclude):
            return
        cls.check_locked(entries)

    @classmethod
    def check_locked(cls, entries):
        "Refuse to change the entries of a period that is allocated"
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        locks = defaultdict(list)
        for pool_ in Pool_.search([
                    ('surplus.company', 'in',
                        list({e.company.id for e in entries})),
                    ('surplus.state', 'in', ['approved', 'posted']),
                    ]):
            for category in pool_.categories:
                locks[category].append(pool_.surplus.fiscalyear)
        for entry in entries:
            for fiscalyear in locks[entry.category]:
                if fiscalyear.start_date <= entry.date <= fiscalyear.end_date:
                    raise ActivityLocked(gettext(
                            'coop_patronage.msg_entry_locked',
                            entry=entry.rec_name,
                            fiscalyear=fiscalyear.rec_name))

    @classmethod
    def copy(cls, entries, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('external_id')
        return super().copy(entries, default=default)
