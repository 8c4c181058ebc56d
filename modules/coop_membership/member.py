# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from sql import Column
from sql.conditionals import Case, Coalesce
from sql.functions import CharLength

from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Unique, Workflow, fields
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .admission import AdmissionMixin
from .bulk import SLICE
from .change_category import ChangeCategoryMixin
from .date import context_date
from .document import DocumentMixin
from .exceptions import MemberValidationError
from .exit import ExitMixin
from .holder import HolderMixin
from .member_contact import ContactMixin
from .membership import EXIT_REASONS
from .person import PersonMixin
from .retention import RetentionMixin
from .similar import SimilarMixin
from .suspension import SuspensionMixin


def _id(value):
    return value.id if isinstance(value, ModelSQL) else value


def _typed_number(domain):
    "Return what is typed to find records of the domain by their name"
    for clause in domain:
        if not isinstance(clause, (list, tuple)) or not clause:
            continue
        if clause[0] != 'rec_name':
            if number := _typed_number(clause):
                return number
        elif clause[1] in {'=', 'like', 'ilike'} and clause[2]:
            return clause[2].strip('%')


# What is kept up to date as long as there is a file of the member
_file = {
    'representatives', 'holders', 'party_end_date', 'persons', 'consents'}


class Member(
        SimilarMixin, AdmissionMixin, ChangeCategoryMixin, ContactMixin,
        ExitMixin, HolderMixin, PersonMixin, RetentionMixin, SuspensionMixin,
        DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.member'
    __string__ = "Member"
    _steps = {
        'admit': (['applicant'], 'member'),
        'undo_admission': (['member'], 'applicant'),
        'reject': (['applicant'], 'rejected'),
        'reconsider': (['rejected'], 'applicant'),
        'give_notice': (['member'], 'leaving'),
        'withdraw_notice': (['leaving'], 'member'),
        'exclude': (['member', 'leaving'], 'leaving'),
        'change_category': (['member'], None),
        'leave': (['leaving'], 'left'),
        'readmit': (['left'], 'member'),
        }
    _rec_name = 'number'
    _search_names = 'number', 'party.rec_name'
    _initial_state = 'applicant'
    _modify_states = {
        'applicant': _file | {
            'number', 'company', 'party', 'category', 'application_date',
            'admission_date', 'rejection_reason'},
        'member': _file | {
            'notice_date', 'exit_reason', 'exit_date', 'suspensions'},
        'leaving': _file | {'suspensions'},
        'left': _file | {'category', 'admission_date'},
        'rejected': _file,
        }
    _delete_states = {'applicant', 'rejected'}
    # What the category and the admission date of an applicant are kept in
    _internal_given = {'requested_category', 'requested_admission_date'}
    _work = (('applicant', 'admit', 'application_date'),)

    number = fields.Char("Number",
        states={
            'required': Eval('state').in_(['member', 'leaving', 'left']),
            },
        help="The number in the register, which is never given again.\n"
        "Leave empty to get the next one at the admission.")
    company = fields.Many2One('company.company', "Company", required=True,
        states={
            'readonly': Eval('party', False),
            })
    party = fields.Many2One('party.party', "Party", required=True,
        ondelete='RESTRICT',
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
                'required': Eval('state') == 'applicant',
                }),
        None, setter='set_request')
    application_date = fields.Date("Application Date", required=True)
    admission_date = fields.Function(fields.Date("Admission Date",
            help="The first day of the membership.\n"
            "Leave empty to admit today."),
        None, setter='set_request')
    notice_date = fields.Date("Notice Date",
        states={
            'invisible': ~Eval('state').in_(['member', 'leaving', 'left']),
            })
    exit_reason = fields.Selection(EXIT_REASONS, "Exit Reason", sort=False,
        states={
            'invisible': ~Eval('state').in_(['member', 'leaving', 'left']),
            })
    exit_date = fields.Function(fields.Date("Exit Date",
            states={
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
            'invisible': ~Eval('state').in_(['applicant', 'rejected']),
            })
    blocked_by = fields.Function(fields.Text("Blocked by",
            states={
                'invisible': ~Eval('blocked_by'),
                },
            help="What keeps the member from leaving after the exit date."),
        'get_blocked_by')
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

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual',
                If(Eval('state').in_(['left', 'rejected']), 'muted',
                    If(Eval('state') == 'leaving', 'warning', ''))),
            ]

    @classmethod
    def search(
            cls, domain, offset=0, limit=None, order=None, count=False,
            query=False):
        number = None
        if not order and order != [] and not count and not query:
            number = _typed_number(domain)
        if not number:
            return super().search(
                domain, offset=offset, limit=limit, order=order, count=count,
                query=query)
        # Who types a number looks first for the member who has it
        with Transaction().set_context(_member_number=number):
            members = super().search(domain, offset=offset, limit=limit)
        return cls.browse(list(map(int, members)))

    @classmethod
    def order_number(cls, tables):
        table, _ = tables[None]
        order = [CharLength(table.number), table.number]
        number = Transaction().context.get('_member_number')
        if number:
            order.insert(0, Case((table.number == number, 0), else_=1))
        return order

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
    def set_request(cls, members, name, value):
        request = f'requested_{name}'
        members = [m for m in members if _id(getattr(m, request)) != value]
        cls.write(members, {request: value})

    def get_rec_name(self, name):
        name = ', '.join(
            p.rec_name for p in self.holders_at(context_date()))
        if self.number:
            name = f'[{self.number}] {name}'
        return name

    @classmethod
    def copy(cls, members, default=None):
        default = default.copy() if default is not None else {}
        for name in [
                'number', 'notice_date', 'exit_reason', 'rejection_reason',
                'representatives', 'holders', 'party_end_date', 'persons',
                'consents', 'suspensions']:
            default.setdefault(name)
        default.setdefault('application_date', cls.default_application_date())
        categories = {
            m.id: m.category.id if m.category else None
            for m in cls.browse(members)}
        default.setdefault(
            'requested_category', lambda data: categories[data['id']])
        return super().copy(members, default=default)

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if mode == 'create' and values.get('requested_category'):
            # Otherwise its default would take the place
            values.setdefault('category', values['requested_category'])
        if (mode == 'create' and values.get('admission_date')
                and 'application_date' not in values):
            # Who is entered afterwards has applied before
            values['application_date'] = min(
                values['admission_date'], cls.default_application_date())
        return values

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
                for sub_used in grouped_slice(used, SLICE):
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
        if mode == 'write' and values.get('number'):
            for company in {
                    m.company for m in members
                    if m.number != values['number']}:
                Number.check(company, [values['number']])

    @classmethod
    def validate_fields(cls, members, field_names):
        super().validate_fields(members, field_names)
        cls.check_survivors(members, field_names)
        if field_names and not (field_names & {
                    'application_date', 'requested_admission_date'}):
            return
        for member in members:
            date = member.requested_admission_date
            if date and date < member.application_date:
                raise MemberValidationError(member._text_admit_application(
                        date))

    @classmethod
    def on_delete(cls, members):
        Number = Pool().get('coop.member.number')
        callables = super().on_delete(members)
        Number.keep(members)
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
        for sub_members in grouped_slice(list(map(int, members)), SLICE):
            cursor.execute(*membership.select(
                    membership.member, membership.category,
                    where=fields.SQL_OPERATORS['in'](
                        membership.member, list(sub_members))
                    & Membership.at_date(membership, date)))
            categories.update(cursor)
        return categories

    def recipients(self, date):
        """Return the parties who get the letters

        The heirs, if there are any, or else all who hold the membership.
        """
        heirs = [
            r.party for r in self.representatives
            if r.role == 'heir' and r.is_valid(date)]
        return heirs or self.holders_at(date)
