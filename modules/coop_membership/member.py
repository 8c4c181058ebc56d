# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from functools import partial, wraps
from itertools import groupby

from dateutil.relativedelta import relativedelta
from sql import Column, Null, Values
from sql.aggregate import Max
from sql.conditionals import Case, Coalesce
from sql.functions import CharLength
from sql.operators import Equal

from trytond import backend
from trytond.i18n import gettext
from trytond.model import (
    Exclude, Index, ModelSQL, ModelView, Unique, Workflow, fields)
from trytond.model.exceptions import AccessError
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.sql.operators import RangeOverlap
from trytond.tools import (
    grouped_slice, is_full_text, lstrip_wildcard, sqlite_apply_types)
from trytond.transaction import (
    Transaction, record_cache_size, without_check_access)
from trytond.wizard import Button, StateTransition, StateView, Wizard

from .exceptions import (
    AdmissionError, CategoryChangeError, ExitError, HardshipWarning,
    MembershipValidationError, MemberValidationError, NoticeError)
from .notice import first_exit_date, year_end
from .period import period_range

EXIT_REASONS = [
    (None, ""),
    ('resignation', "Resignation"),
    ('exclusion', "Exclusion"),
    ('death', "Death"),
    ('transfer', "Transfer"),
    ('dissolution', "Dissolution"),
    ('other', "Other"),
    ]
# Below the limit of parameters of any database, also with some for each
SLICE = 10_000


def _read_at_once(func):
    "Read the records at once, however many they are"
    @wraps(func)
    def wrapper(cls, records):
        # Tryton reads as many as its cache of records takes
        if len(records) <= record_cache_size(Transaction()):
            return func(cls, records)
        with Transaction().set_context(_record_cache_size=len(records)):
            return func(cls, cls.browse(records))
    return wrapper


def context_date():
    return (Transaction().context.get('date')
        or Pool().get('ir.date').today())


def format_date(date):
    return Pool().get('ir.lang').get().strftime(date) if date else ''


def _year_end(date, years):
    return date + relativedelta(years=years, month=12, day=31)


def _id(value):
    return value.id if isinstance(value, ModelSQL) else value


class Member(Workflow, ModelSQL, ModelView):
    __name__ = 'coop.member'
    __string__ = "Member"
    _rec_name = 'number'

    number = fields.Char("Number",
        states={
            'readonly': Eval('state') != 'applicant',
            'required': Eval('state').in_(['member', 'leaving', 'left']),
            },
        help="The number in the register, which is never given again.\n"
        "Leave empty to get the next one at the admission.")
    company = fields.Many2One('company.company', "Company", required=True,
        states={
            'readonly': (
                (Eval('state') != 'applicant') | Eval('party', False)),
            })
    party = fields.Many2One('party.party', "Party", required=True,
        ondelete='RESTRICT',
        states={
            'readonly': Eval('state') != 'applicant',
            },
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    category = fields.Function(fields.Many2One(
            'coop.member.category', "Category",
            domain=[
                ('company', '=', Eval('company', -1)),
                ],
            states={
                'readonly': ~Eval('state').in_(['applicant', 'left']),
                'required': Eval('state') == 'applicant',
                }),
        None, setter='set_request')
    application_date = fields.Date("Application Date", required=True,
        states={
            'readonly': Eval('state') != 'applicant',
            })
    admission_date = fields.Function(fields.Date("Admission Date",
            states={
                'readonly': ~Eval('state').in_(['applicant', 'left']),
                },
            help="The first day of the membership.\n"
            "Leave empty to admit today."),
        None, setter='set_request')
    notice_date = fields.Date("Notice Date",
        states={
            'readonly': Eval('state') != 'member',
            'invisible': ~Eval('state').in_(['member', 'leaving', 'left']),
            })
    exit_reason = fields.Selection(EXIT_REASONS, "Exit Reason", sort=False,
        states={
            'readonly': Eval('state') != 'member',
            'invisible': ~Eval('state').in_(['member', 'leaving', 'left']),
            })
    exit_date = fields.Function(fields.Date("Exit Date",
            states={
                'readonly': Eval('state') != 'member',
                'invisible': ~Eval('state').in_(
                    ['member', 'leaving', 'left']),
                },
            help="The last day of the membership.\n"
            "Leave empty for the first day the notice allows."),
        None, setter='set_request')
    hardship = fields.Boolean("Hardship", readonly=True,
        states={
            'invisible': ~Eval('hardship', False),
            },
        help="The board let the member leave before the end of the notice.")
    rejection_reason = fields.Char("Rejection Reason",
        states={
            'readonly': Eval('state') != 'applicant',
            'invisible': ~Eval('state').in_(['applicant', 'rejected']),
            })
    memberships = fields.One2Many(
        'coop.membership', 'member', "Memberships", readonly=True)
    representatives = fields.One2Many(
        'coop.member.representative', 'member', "Representatives")
    consents = fields.One2Many(
        'coop.member.consent', 'member', "Consents")
    retention_date = fields.Function(fields.Date("Retention Date",
            states={
                'invisible': ~Eval('retention_date'),
                },
            help="The day until which the data of the member is kept."),
        'get_retention_date')
    requested_category = fields.Many2One(
        'coop.member.category', "Requested Category", readonly=True)
    requested_admission_date = fields.Date(
        "Requested Admission Date", readonly=True)
    requested_exit_date = fields.Date("Requested Exit Date", readonly=True)
    state = fields.Selection([
            ('applicant', "Applicant"),
            ('member', "Member"),
            ('leaving', "Leaving"),
            ('left', "Left"),
            ('rejected', "Rejected"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('number_unique', Unique(t, t.company, t.number),
                'coop_membership.msg_member_number_unique'),
            ('party_unique', Unique(t, t.company, t.party),
                'coop_membership.msg_member_party_unique'),
            ]
        cls._sql_indexes.add(
            Index(t, (t.state, Index.Equality(cardinality='low')),
                where=t.state.in_(['applicant', 'leaving'])))
        cls._order = [
            ('number', 'ASC NULLS FIRST'),
            ('id', 'ASC'),
            ]
        cls._transitions |= {
            ('applicant', 'member'),
            ('applicant', 'rejected'),
            ('rejected', 'applicant'),
            ('member', 'leaving'),
            ('leaving', 'leaving'),
            ('leaving', 'member'),
            ('leaving', 'left'),
            ('left', 'member'),
            }
        cls._buttons.update({
                'admit': {
                    'invisible': Eval('state') != 'applicant',
                    'depends': ['state'],
                    },
                'reject': {
                    'invisible': Eval('state') != 'applicant',
                    'depends': ['state'],
                    },
                'reconsider': {
                    'invisible': Eval('state') != 'rejected',
                    'depends': ['state'],
                    },
                'give_notice': {
                    'invisible': Eval('state') != 'member',
                    'depends': ['state'],
                    },
                'withdraw_notice': {
                    'invisible': Eval('state') != 'leaving',
                    'depends': ['state'],
                    },
                'exclude': {
                    'invisible': ~Eval('state').in_(['member', 'leaving']),
                    'depends': ['state'],
                    },
                'change_category': {
                    'invisible': Eval('state') != 'member',
                    'depends': ['state'],
                    },
                'leave': {
                    'invisible': Eval('state') != 'leaving',
                    'depends': ['state'],
                    },
                'readmit': {
                    'invisible': Eval('state') != 'left',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual',
                If(Eval('state').in_(['left', 'rejected']), 'muted',
                    If(Eval('state') == 'leaving', 'warning', ''))),
            ]

    @classmethod
    def order_number(cls, tables):
        table, _ = tables[None]
        return [CharLength(table.number), table.number]

    @classmethod
    def _column_membership(cls, tables, name, request):
        "Return the column of the last membership started at the date"
        Membership = Pool().get('coop.membership')
        table, _ = tables[None]
        membership = Membership.__table__()
        date = context_date()
        query = membership.select(
            Column(membership, name),
            where=membership.member == table.id,
            order_by=[
                (membership.start_date > date).asc,
                Case((membership.start_date <= date, membership.start_date)
                    ).desc,
                membership.start_date.asc,
                ],
            limit=1)
        return Coalesce(Column(table, request), query)

    @classmethod
    def column_category(cls, tables):
        return cls._column_membership(
            tables, 'category', 'requested_category')

    @classmethod
    def column_admission_date(cls, tables):
        return cls._column_membership(
            tables, 'admission_date', 'requested_admission_date')

    @classmethod
    def column_exit_date(cls, tables):
        return cls._column_membership(
            tables, 'exit_date', 'requested_exit_date')

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_category(cls):
        Configuration = Pool().get('coop.membership.configuration')
        category = Configuration(1).get_multivalue('default_category')
        return category.id if category else None

    @classmethod
    def default_application_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_hardship(cls):
        return False

    @classmethod
    def default_state(cls):
        return 'applicant'

    @fields.depends(
        'state', 'company', 'category', 'admission_date', 'notice_date',
        'exit_reason', 'exit_date')
    def on_change_notice_date(self):
        if (self.state == 'member'
                and self.company
                and self.category
                and self.notice_date):
            self.exit_date = self._first_exit_date(
                self._fiscalyears(self.company, self.notice_date))

    @fields.depends(methods=['on_change_notice_date'])
    def on_change_exit_reason(self):
        self.on_change_notice_date()

    @classmethod
    def set_request(cls, members, name, value):
        state = {
            'category': {'applicant', 'left'},
            'admission_date': {'applicant', 'left'},
            'exit_date': {'member'},
            }[name]
        if value:
            for member in members:
                if member.state not in state:
                    raise AccessError(gettext(
                            'coop_membership.msg_member_modify_%s' % name,
                            member=member.rec_name))
        request = f'requested_{name}'
        members = [m for m in members if _id(getattr(m, request)) != value]
        cls.write(members, {request: value})

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
            for sub_ids in grouped_slice(
                    list(c_members), SLICE):
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

    def get_rec_name(self, name):
        name = self.party.rec_name
        if self.number:
            name = f'[{self.number}] {name}'
        return name

    @classmethod
    def search_rec_name(cls, name, clause):
        _, operator, operand, *extra = clause
        if operator.startswith('!') or operator.startswith('not '):
            bool_op = 'AND'
        else:
            bool_op = 'OR'
        code_value = operand
        if operator.endswith('like') and is_full_text(operand):
            code_value = lstrip_wildcard(operand)
        return [bool_op,
            ('number', operator, code_value, *extra),
            ('party.rec_name', operator, operand, *extra),
            ]

    @classmethod
    def copy(cls, members, default=None):
        default = default.copy() if default is not None else {}
        for name in [
                'number', 'notice_date', 'exit_reason', 'rejection_reason',
                'memberships', 'representatives', 'consents',
                'requested_exit_date', 'requested_admission_date']:
            default.setdefault(name, None)
        default.setdefault('hardship', False)
        default.setdefault(
            'requested_category',
            lambda data: data['requested_category'] or data['category'])
        return super().copy(members, default=default)

    @classmethod
    def create(cls, vlist):
        # The hooks see one member at a time and the constraints name none
        cls._check_unique(vlist)
        return super().create(vlist)

    @classmethod
    def _check_unique(cls, vlist):
        "Check that the numbers and the parties are not yet used"
        Number = Pool().get('coop.member.number')
        for name in ['number', 'party']:
            values = defaultdict(list)
            for v in vlist:
                if v.get(name):
                    company = v.get('company', cls.default_company())
                    values[company].append(v[name])
            for company, used in values.items():
                if name == 'number':
                    Number.check(company, used)
                for sub_used in grouped_slice(
                        used, SLICE):
                    if members := cls.search([
                                ('company', '=', company),
                                (name, 'in', list(sub_used)),
                                ], limit=1):
                        member, = members
                        raise MemberValidationError(gettext(
                                f'coop_membership.msg_member_{name}_used',
                                member=member.rec_name))

    @classmethod
    def check_modification(cls, mode, members, values=None, external=False):
        Number = Pool().get('coop.member.number')
        super().check_modification(
            mode, members, values=values, external=external)
        if mode == 'delete':
            for member in members:
                if member.state not in {'applicant', 'rejected'}:
                    raise AccessError(gettext(
                            'coop_membership.msg_member_delete_state',
                            member=member.rec_name))
        elif mode == 'create':
            for member in members:
                if external and member.state != 'applicant':
                    raise AccessError(gettext(
                            'coop_membership.msg_member_modify_state',
                            member=member.rec_name))
        elif mode == 'write':
            if values.get('number'):
                for company in {m.company for m in members}:
                    Number.check(company, [values['number']])
            identity = values.keys() & {'number', 'party', 'company'}
            for member in members:
                if (external
                        and values.get('state', member.state)
                        != member.state):
                    raise AccessError(gettext(
                            'coop_membership.msg_member_modify_state',
                            member=member.rec_name))
                if member.state != 'applicant' and any(
                        values[name] != _id(getattr(member, name))
                        for name in identity):
                    raise AccessError(gettext(
                            'coop_membership.msg_member_modify_identity',
                            member=member.rec_name))

    @classmethod
    def on_delete(cls, members):
        Number = Pool().get('coop.member.number')
        callables = super().on_delete(members)
        Number.create([{
                    'company': member.company.id,
                    'number': member.number,
                    } for member in members if member.number])
        return callables

    @classmethod
    def members_at(cls, company, date):
        "Return the ids of the members at the date by id of their party"
        pool = Pool()
        Membership = pool.get('coop.membership')
        table = cls.__table__()
        membership = Membership.__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*table
            .join(membership, condition=membership.member == table.id)
            .select(table.party, table.id,
                where=(table.company == int(company))
                & Membership.at_date(membership, date)))
        return dict(cursor)

    @classmethod
    def categories_at(cls, members, date):
        "Return the ids of the categories at the date by id of the member"
        pool = Pool()
        Membership = pool.get('coop.membership')
        membership = Membership.__table__()
        cursor = Transaction().connection.cursor()
        categories = {}
        for sub_members in grouped_slice(
                list(map(int, members)), SLICE):
            cursor.execute(*membership.select(
                    membership.member, membership.category,
                    where=fields.SQL_OPERATORS['in'](
                        membership.member, list(sub_members))
                    & Membership.at_date(membership, date)))
            categories.update(cursor)
        return categories

    @classmethod
    @_read_at_once
    @ModelView.button
    @Workflow.transition('member')
    def admit(cls, members):
        cls._admit(members)

    @classmethod
    @_read_at_once
    @ModelView.button
    @Workflow.transition('member')
    def readmit(cls, members):
        cls._admit(members)

    @classmethod
    def _admit(cls, members):
        pool = Pool()
        Date = pool.get('ir.date')
        Membership = pool.get('coop.membership')
        memberships = []
        for company, c_members in groupby(
                sorted(members, key=lambda m: m.company.id),
                key=lambda m: m.company):
            c_members = list(c_members)
            with Transaction().set_context(company=company.id):
                today = Date.today()
            for member in c_members:
                date = member.requested_admission_date or today
                category = (
                    member.requested_category
                    or member.state == 'left' and member.category)
                if not category:
                    raise AdmissionError(gettext(
                            'coop_membership.msg_member_admit_category',
                            member=member.rec_name))
                memberships.append(Membership(
                        member=member,
                        category=category,
                        start_date=date,
                        admission_date=date))
            cls._check_admission(company, memberships[-len(c_members):])
            cls._set_number(company, c_members)
        values = {
            'notice_date': None,
            'exit_reason': None,
            'hardship': False,
            'requested_category': None,
            'requested_admission_date': None,
            }
        to_write = [members, values] if members else []
        # A member entered afterwards has applied before
        late = defaultdict(list)
        for membership in memberships:
            if membership.member.application_date > membership.start_date:
                late[membership.start_date].append(membership.member)
        for date, d_members in late.items():
            to_write.extend((d_members, {'application_date': date}))
        if to_write:
            cls.write(*to_write)
        Membership.save(memberships)

    @classmethod
    def _set_number(cls, company, members):
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Number = pool.get('coop.member.number')
        members = [m for m in members if not m.number]
        sequence = Configuration(1).get_multivalue(
            'member_sequence', company=company.id)
        numbered = []
        while members:
            numbers = list(sequence.get_many(len(members)))
            # A number given by hand or by an import may come again
            used = set()
            for sub_numbers in grouped_slice(
                    numbers, SLICE):
                domain = [
                    ('company', '=', company.id),
                    ('number', 'in', list(sub_numbers)),
                    ]
                used.update(m.number for m in cls.search(domain))
                used.update(n.number for n in Number.search(domain))
            numbers = [n for n in numbers if n not in used]
            numbered.extend(zip(map(int, members), numbers))
            members = members[len(numbers):]
        # As each has another number, a save would write them one by one
        table = cls.__table__()
        cursor = Transaction().connection.cursor()
        for sub_numbered in grouped_slice(
                numbered, SLICE):
            values = Values(list(sub_numbered))
            cursor.execute(*table.update(
                    [table.number], [values.column2],
                    from_=[values],
                    where=table.id == values.column1))

    @classmethod
    def _check_admission(cls, company, memberships):
        "Check that the members of the memberships may be admitted"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Document = pool.get('coop.membership.document')
        config = Configuration(1)
        majority_age = config.get_multivalue(
            'majority_age', company=company.id)
        entity_representative = config.get_multivalue(
            'entity_representative', company=company.id)
        documents = Document.search([
                ('company', '=', company.id),
                ])
        for membership in memberships:
            member = membership.member
            party = member.party
            date = membership.start_date
            last = member.memberships[-1] if member.memberships else None
            if last and (not last.end_date or last.end_date >= date):
                raise AdmissionError(gettext(
                        'coop_membership.msg_member_admit_overlap',
                        member=member.rec_name,
                        date=format_date(date),
                        start_date=format_date(last.start_date),
                        end_date=format_date(last.end_date)))
            consents = {c.document for c in member.consents if c.date <= date}
            for document in Document.required_at(documents, date):
                if document not in consents:
                    raise AdmissionError(gettext(
                            'coop_membership.msg_member_admit_consent',
                            member=member.rec_name,
                            document=document.rec_name))
            membership.check_age()
            age = party.get_age(date)
            if party.legal_entity:
                need_representative = entity_representative
            else:
                need_representative = age is not None and age < majority_age
            if need_representative and not any(
                    r.is_legal and r.is_valid(date)
                    for r in member.representatives):
                raise AdmissionError(gettext(
                        'coop_membership.msg_member_admit_representative',
                        member=member.rec_name))

    @classmethod
    @ModelView.button_action('coop_membership.wizard_change_category')
    def change_category(cls, members):
        pass

    @classmethod
    def set_category(cls, members, category, date):
        "Change the category of the members from the date"
        pool = Pool()
        Membership = pool.get('coop.membership')
        to_close, to_open = [], []
        for member in members:
            membership = member.memberships[-1] if member.memberships else None
            if member.state != 'member' or membership.end_date:
                raise CategoryChangeError(gettext(
                        'coop_membership.msg_member_change_category_state',
                        member=member.rec_name))
            elif membership.category == category:
                raise CategoryChangeError(gettext(
                        'coop_membership.msg_member_change_category_same',
                        member=member.rec_name,
                        category=category.rec_name))
            elif membership.start_date >= date:
                raise CategoryChangeError(gettext(
                        'coop_membership.msg_member_change_category_date',
                        member=member.rec_name,
                        date=format_date(date),
                        start_date=format_date(membership.start_date)))
            membership.end_date = date - dt.timedelta(days=1)
            to_close.append(membership)
            to_open.append(Membership(
                    member=member, category=category, start_date=date))
            to_open[-1].check_age()
        Membership.save(to_close)
        Membership.save(to_open)

    @classmethod
    @ModelView.button
    @Workflow.transition('rejected')
    def reject(cls, members):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('applicant')
    def reconsider(cls, members):
        pass

    @classmethod
    def _fiscalyears(cls, company, date):
        "Return the first and last day of the fiscal years since the date"
        FiscalYear = Pool().get('account.fiscalyear')
        return [(f.start_date, f.end_date) for f in FiscalYear.search([
                    ('company', '=', company.id),
                    ('end_date', '>=', date),
                    ])]

    @fields.depends(
        'company', 'category', 'admission_date', 'notice_date', 'exit_reason')
    def _first_exit_date(self, fiscalyears, not_before=None):
        "Return the first day the member may leave on"
        Configuration = Pool().get('coop.membership.configuration')
        category = self.category
        exit_at = category.exit_at
        notice_months = category.notice_months
        minimum_months = category.minimum_months
        if self.exit_reason == 'exclusion':
            exit_at = category.exclusion_exit_at
            notice_months = minimum_months = 0
        elif self.exit_reason == 'transfer':
            exit_at = 'any_day'
            notice_months = minimum_months = 0
        elif self.exit_reason in {'death', 'dissolution'}:
            notice_months = minimum_months = 0
        if category.exit_month:
            month, fiscalyears = category.exit_month, []
        else:
            month = Configuration(1).get_multivalue(
                'year_end_month', company=self.company.id)
        return first_exit_date(
            self.notice_date, self.admission_date,
            notice_months=notice_months,
            minimum_months=minimum_months,
            exit_at=exit_at,
            year_end=partial(
                year_end, fiscalyears=fiscalyears, month=int(month)),
            not_before=not_before)

    @classmethod
    @ModelView.button
    @Workflow.transition('leaving')
    def give_notice(cls, members):
        for member in members:
            if not member.exit_reason:
                raise NoticeError(gettext(
                        'coop_membership.msg_member_notice_reason',
                        member=member.rec_name))
        cls._check_exclusion(members)
        cls._set_exit(members)

    @classmethod
    @ModelView.button
    @Workflow.transition('leaving')
    def exclude(cls, members):
        Date = Pool().get('ir.date')
        for member in members:
            if member.exit_reason != 'exclusion':
                # The date was proposed for another reason
                member.requested_exit_date = None
                member.exit_reason = 'exclusion'
            if member.state == 'leaving':
                # The decision comes after the notice
                with Transaction().set_context(company=member.company.id):
                    member.notice_date = min(Date.today(), member.exit_date)
        cls._set_exit(members)

    @classmethod
    def _set_exit(cls, members):
        pool = Pool()
        Date = pool.get('ir.date')
        Membership = pool.get('coop.membership')
        memberships, hardships = [], []
        for company, c_members in groupby(
                sorted(members, key=lambda m: m.company.id),
                key=lambda m: m.company):
            c_members = list(c_members)
            with Transaction().set_context(company=company.id):
                today = Date.today()
            for member in c_members:
                if not member.notice_date:
                    member.notice_date = today
            fiscalyears = cls._fiscalyears(
                company, min(m.notice_date for m in c_members))
            for member in c_members:
                membership = member.memberships[-1]
                if member.requested_exit_date:
                    exit_date = member.requested_exit_date
                    member.hardship = exit_date != member._first_exit_date(
                        fiscalyears, not_before=exit_date)
                    if member.hardship:
                        hardships.append(member)
                else:
                    exit_date = member._first_exit_date(fiscalyears)
                    if membership.end_date:
                        exit_date = min(exit_date, membership.end_date)
                if exit_date < membership.start_date:
                    raise NoticeError(gettext(
                            'coop_membership.msg_member_notice_before_start',
                            member=member.rec_name,
                            exit_date=format_date(exit_date),
                            start_date=format_date(membership.start_date)))
                member.requested_exit_date = None
                membership.end_date = exit_date
                membership.exit_reason = member.exit_reason
                memberships.append(membership)
        if hardships:
            cls._check_hardship(hardships)
        cls.save(members)
        Membership.save(memberships)

    @classmethod
    def _is_board(cls):
        "Return whether the user may decide for the board"
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        User = pool.get('res.user')
        board = ModelData.get_id('coop_membership', 'group_coop_board')
        return not Transaction().user or board in User.get_groups()

    @classmethod
    def _check_exclusion(cls, members):
        "Let only the board exclude, and take the exclusion back"
        if cls._is_board():
            return
        for member in members:
            if 'exclusion' in {
                    member.exit_reason, member.memberships[-1].exit_reason}:
                raise NoticeError(gettext(
                        'coop_membership.msg_member_exclusion_board',
                        member=member.rec_name))

    @classmethod
    def _check_hardship(cls, members):
        "Let only the board shorten the notice"
        Warning = Pool().get('res.user.warning')
        names = ', '.join(m.rec_name for m in members[:5])
        if len(members) > 5:
            names += '...'
        if not cls._is_board():
            raise NoticeError(gettext(
                    'coop_membership.msg_member_notice_too_early',
                    members=names))
        key = Warning.format('member_hardship', members)
        if Warning.check(key):
            raise HardshipWarning(key, gettext(
                    'coop_membership.msg_member_notice_hardship',
                    members=names))

    @classmethod
    @ModelView.button
    @Workflow.transition('member')
    def withdraw_notice(cls, members):
        pool = Pool()
        Membership = pool.get('coop.membership')
        cls._check_exclusion(members)
        memberships = []
        for member in members:
            member.notice_date = None
            member.exit_reason = None
            member.hardship = False
            membership = member.memberships[-1]
            membership.end_date = None
            membership.exit_reason = None
            memberships.append(membership)
        cls.save(members)
        Membership.save(memberships)

    def recipients(self, date):
        "Return the parties who get the letters: the heirs, if there are any"
        heirs = [
            r.party for r in self.representatives
            if r.role == 'heir' and r.is_valid(date)]
        return heirs or [self.party]

    def exit_blockers(self):
        """Return the reasons, as texts, for which the member can not be left
        go although the exit date is over"""
        return []

    @classmethod
    @ModelView.button
    @Workflow.transition('left')
    def leave(cls, members):
        pool = Pool()
        Date = pool.get('ir.date')
        errors = []
        for member in members:
            with Transaction().set_context(company=member.company.id):
                today = Date.today()
            exit_date = member.memberships[-1].end_date
            if exit_date >= today:
                blockers = [gettext(
                        'coop_membership.msg_member_leave_date',
                        exit_date=format_date(exit_date))]
            else:
                blockers = []
            blockers += member.exit_blockers()
            if blockers:
                errors.append(gettext(
                        'coop_membership.msg_member_leave_blocked',
                        member=member.rec_name,
                        blockers='\n'.join(f'- {b}' for b in blockers)))
        if errors:
            raise ExitError('\n'.join(errors))

    @classmethod
    def leave_due(cls):
        "Let go the members whose exit date is over and nothing blocks"
        pool = Pool()
        Date = pool.get('ir.date')
        members = cls.search([
                ('company', '=', Transaction().context.get('company')),
                ('state', '=', 'leaving'),
                ('memberships', 'where', [('exit_date', '<', Date.today())]),
                ])
        cls.leave([m for m in members if not m.exit_blockers()])


class Number(ModelSQL):
    # Those of deleted applicants, which are never given again
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
        "Check that the numbers are not those of deleted applicants"
        for sub_numbers in grouped_slice(numbers, SLICE):
            if used := cls.search([
                        ('company', '=', int(company)),
                        ('number', 'in', list(sub_numbers)),
                        ], limit=1):
                raise MemberValidationError(gettext(
                        'coop_membership.msg_member_number_deleted',
                        number=used[0].number))


class Membership(ModelSQL, ModelView):
    __name__ = 'coop.membership'
    __string__ = "Membership"

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
    def search_rec_name(cls, name, clause):
        return [('member.rec_name', *clause[1:])]

    @classmethod
    def at_date(cls, table, date):
        "Return the expression of the memberships of the table at the date"
        return ((table.start_date <= date)
            & ((table.end_date == Null) | (table.end_date >= date)))

    def check_age(self):
        "Check that the member is old enough for the category"
        age = self.member.party.get_age(self.start_date)
        minimum_age = self.category.minimum_age
        if minimum_age and age is not None and age < minimum_age:
            raise AdmissionError(gettext(
                    'coop_membership.msg_member_admit_age',
                    member=self.member.rec_name,
                    age=age,
                    minimum_age=minimum_age,
                    category=self.category.rec_name))

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
        for sub_memberships in grouped_slice(
                memberships, SLICE):
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


def stays(memberships):
    """Group memberships that follow each other without a gap.

    The memberships are sequences of the member, the first day, the last day
    and anything else, sorted by member and first day.
    """
    stay = []
    for membership in memberships:
        member, start_date, *_ = membership
        if stay:
            last_member, _, last_date, *_ = stay[-1]
            if (member != last_member
                    or not last_date
                    or start_date != last_date + dt.timedelta(days=1)):
                yield stay
                stay = []
        stay.append(membership)
    if stay:
        yield stay


class Representative(ModelSQL, ModelView):
    __name__ = 'coop.member.representative'
    __string__ = "Member Representative"

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE')
    party = fields.Many2One('party.party', "Party", required=True,
        ondelete='RESTRICT',
        context={
            'company': Eval('_parent_member', {}).get('company', -1),
            },
        depends={'member'})
    role = fields.Selection([
            ('legal_representative', "Legal Representative"),
            ('guardian', "Guardian"),
            ('heir', "Heir"),
            ('agent', "Agent"),
            ('contact', "Contact"),
            ], "Role", required=True, sort=False)
    role_string = role.translated('role')
    start_date = fields.Date("Start Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ])
    end_date = fields.Date("End Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ])

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('member')
        cls._order.insert(0, ('start_date', 'DESC NULLS LAST'))

    def get_rec_name(self, name):
        return f'{self.party.rec_name} @ {self.member.rec_name}'

    @classmethod
    def search_rec_name(cls, name, clause):
        return [('party.rec_name', *clause[1:])]

    @property
    def is_legal(self):
        return self.role in {'legal_representative', 'guardian'}

    def is_valid(self, date):
        return ((not self.start_date or self.start_date <= date)
            and (not self.end_date or self.end_date >= date))


class ChangeCategory(Wizard):
    __name__ = 'coop.member.change_category'
    __string__ = "Change Category"

    start = StateView(
        'coop.member.change_category.start',
        'coop_membership.member_change_category_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Change", 'change', 'tryton-ok', default=True),
            ])
    change = StateTransition()

    def default_start(self, fields):
        return {
            'company': self.record.company.id,
            }

    def transition_change(self):
        self.model.set_category(
            [r for r in self.records if r.company == self.start.company],
            self.start.category, self.start.date)
        return 'end'


class ChangeCategoryStart(ModelView):
    __name__ = 'coop.member.change_category.start'
    __string__ = "Change Category"

    company = fields.Many2One(
        'company.company', "Company", required=True, readonly=True)
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    date = fields.Date("Date", required=True,
        help="The first day in the category.")

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()
