# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from sql import Null
from sql.operators import Equal

from trytond import backend
from trytond.i18n import gettext
from trytond.model import Check, Exclude, Index, ModelSQL, ModelView, fields
from trytond.pyson import Eval, If
from trytond.sql.operators import RangeOverlap
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .bulk import SLICE
from .date import format_date
from .document import PartMixin, SearchMixin
from .exceptions import MembershipValidationError
from .period import period_range
from .stay import stays

EXIT_REASONS = [
    (None, ""),
    ('resignation', "Resignation"),
    ('exclusion', "Exclusion"),
    ('death', "Death"),
    ('transfer', "Transfer"),
    ('dissolution', "Dissolution"),
    ('insolvency', "Insolvency"),
    ('creditor_notice', "Notice by a Creditor"),
    ('other', "Other"),
    ]


class Membership(SearchMixin, PartMixin, ModelSQL, ModelView):
    __name__ = 'coop.membership'
    __string__ = "Membership"
    _document = 'member'
    _search_names = ('member.rec_name',)

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE')
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('_parent_member', {}).get('company', -1)),
            ])
    start_date = fields.Date("Start Date", required=True,
        domain=[
            If(Eval('end_date', None),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ])
    end_date = fields.Date("End Date",
        domain=[
            If(Eval('end_date', None) & Eval('start_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ],
        help="The last day of the membership in the category.")
    exit_reason = fields.Selection(EXIT_REASONS, "Exit Reason", sort=False)
    exit_reason_string = exit_reason.translated('exit_reason')
    admission_date = fields.Date("Admission Date", readonly=True,
        help="The first day of the memberships that follow each other.")
    exit_date = fields.Date("Exit Date", readonly=True,
        help="The last day of the memberships that follow each other.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        # Without ranges the validation is enough, as nobody else writes
        if backend.name != 'sqlite':
            cls._sql_constraints += [
                ('dates_overlap',
                    Exclude(t,
                        (t.member, Equal),
                        (period_range(t), RangeOverlap)),
                    'coop_membership.msg_membership_overlap'),
                ]
        cls._sql_constraints += [
            ('dates_order',
                Check(t, (t.end_date == Null) | (t.start_date <= t.end_date)),
                'coop_membership.msg_membership_dates'),
            ]
        cls._sql_indexes.update({
                Index(t,
                    (t.member, Index.Equality()),
                    (t.start_date, Index.Range())),
                Index(t,
                    (t.start_date, Index.Range()),
                    (t.end_date, Index.Range())),
                })
        cls._order.insert(0, ('start_date', 'ASC'))

    def get_rec_name(self, name):
        return f'{self.member.rec_name} @ {self.category.rec_name}'

    @classmethod
    def at_date(cls, table, date):
        "Return the expression of the memberships of the table at the date"
        return ((table.start_date <= date)
            & ((table.end_date == Null) | (table.end_date >= date)))

    def refuse_age(self):
        "Return a text if the member is not old enough for the category"
        age = self.member.party.get_age(self.start_date)
        minimum_age = self.category.minimum_age
        if minimum_age and age is not None and age < minimum_age:
            return gettext(
                'coop_membership.msg_member_admit_age',
                member=self.member.rec_name,
                age=age,
                minimum_age=minimum_age,
                category=self.category.rec_name)

    @classmethod
    def validate(cls, memberships):
        count = len(memberships)
        if not all(
                Transaction().database.has_constraint(sql)
                for _, sql, _ in cls._sql_constraints
                if isinstance(sql, Exclude)):
            # Without btree_gist the constraint is checked by a query which
            # nests a condition per record: many would be too deep
            count = 100
        for sub_memberships in grouped_slice(memberships, count):
            super().validate(list(sub_memberships))

    @classmethod
    def validate_fields(cls, memberships, field_names):
        super().validate_fields(memberships, field_names)
        if not field_names or (
                field_names & {'member', 'start_date', 'end_date'}):
            cls._check_overlap(memberships)

    @classmethod
    def _check_overlap(cls, memberships):
        "Check that the memberships overlap no other of the same member"
        table = cls.__table__()
        other = cls.__table__()
        cursor = Transaction().connection.cursor()
        for sub_memberships in grouped_slice(memberships, SLICE):
            cursor.execute(*table
                .join(other,
                    condition=(table.member == other.member)
                    & (table.id != other.id)
                    & ((table.end_date == Null)
                        | (other.start_date <= table.end_date))
                    & ((other.end_date == Null)
                        | (table.start_date <= other.end_date)))
                .select(table.id,
                    where=fields.SQL_OPERATORS['in'](
                        table.id, list(map(int, sub_memberships))),
                    limit=1))
            if row := cursor.fetchone():
                membership = cls(row[0])
                raise MembershipValidationError(gettext(
                        'coop_membership.msg_membership_overlap_member',
                        member=membership.member.rec_name,
                        start_date=format_date(membership.start_date)))

    @classmethod
    def on_modification(cls, mode, memberships, field_names=None):
        super().on_modification(mode, memberships, field_names=field_names)
        if (mode == 'create'
                or (mode == 'write'
                    and field_names & {'member', 'start_date', 'end_date'})):
            cls._set_stays({m.member.id for m in memberships})

    @classmethod
    def on_delete(cls, memberships):
        callables = super().on_delete(memberships)
        members = {m.member.id for m in memberships}
        callables.append(lambda: cls._set_stays(members))
        return callables

    @classmethod
    def _set_stays(cls, members):
        "Set the dates of admission and exit of the memberships of members"
        table = cls.__table__()
        cursor = Transaction().connection.cursor()
        to_write = defaultdict(list)
        for sub_members in grouped_slice(members, SLICE):
            cursor.execute(*table.select(
                    table.member, table.start_date, table.end_date, table.id,
                    table.admission_date, table.exit_date,
                    where=fields.SQL_OPERATORS['in'](
                        table.member, list(sub_members)),
                    order_by=[table.member.asc, table.start_date.asc]))
            for stay in stays(cursor):
                dates = (stay[0][1], stay[-1][2])
                to_write[dates].extend(
                    id_ for *_, id_, admission, exit_ in stay
                    if (admission, exit_) != dates)
        args = []
        for (admission_date, exit_date), ids in to_write.items():
            if ids:
                args.extend((cls.browse(ids), {
                            'admission_date': admission_date,
                            'exit_date': exit_date,
                            }))
        if args:
            cls.write(*args)
