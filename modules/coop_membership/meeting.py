# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.aggregate import Count, Sum
from sql.conditionals import Case
from sql.functions import CharLength

from trytond.i18n import gettext
from trytond.model import Check, Index, ModelSQL, ModelView, Workflow, fields
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .books import SLICE, save_records
from .document import NumberedMixin
from .exceptions import MeetingQuorumError
from .voting import cap_votes, quorum

KINDS = [
    ('ordinary', "Ordinary General Meeting"),
    ('extraordinary', "Extraordinary General Meeting"),
    ('board', "Board Meeting"),
    ]


_call = {
    'date', 'time', 'place', 'call', 'quorum_basis', 'quorum_percent',
    'quorum_minimum', 'proxies_per_holder', 'items', 'minutes'}
# What the board reports to the members before they meet
_report = {'letter', 'commentary'}
# What is still completed when the meeting is over
_minutes = {
    'minutes', 'chair', 'secretary', 'start_time', 'end_time',
    'convocation_proof', 'annexes'}


class Meeting(NumberedMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.meeting'
    __string__ = "Meeting"
    _not_copied = {'attendances', 'record_date', 'convocation_date'} | _minutes
    _steps = {
        'draft': (['convened', 'cancelled'], 'draft'),
        'convene': (['draft'], 'convened'),
        'open': (['convened'], 'open'),
        'close': (['open'], 'closed'),
        'cancel': (['draft', 'convened', 'open'], 'cancelled'),
        }
    _sequence = 'coop.membership.configuration', 'meeting_sequence'
    _modify_states = {
        'draft': _call | _minutes | _report | {
            'company', 'kind', 'record_date', 'convocation_date'},
        'convened': _call | _minutes | _report | {'attendances'},
        'open': {'items', 'attendances'} | _minutes,
        'closed': _minutes,
        'cancelled': _minutes,
        }
    _sealed_states = {
        'closed': _minutes,
        }
    _delete_states = {'draft', 'cancelled'}
    _work = tuple(
        (state, 'meeting', 'date') for state in ['draft', 'convened', 'open'])

    _states_minutes = {
        'invisible': ~Eval('formal_minutes', False),
        }

    company = fields.Many2One('company.company', "Company", required=True,
        states={
            'readonly': Eval('items', [0]) | Eval('attendances', [0]),
            })
    kind = fields.Selection(KINDS, "Kind", required=True, sort=False)
    kind_string = kind.translated('kind')
    date = fields.Date("Date", required=True)
    time = fields.Time("Time", "%H:%M")
    place = fields.Char("Place")
    record_date = fields.Date("Record Date",
        domain=[
            If(Eval('record_date', None) & Eval('date', None),
                ('record_date', '<=', Eval('date', None)),
                ()),
            ],
        help="The members of this day may vote.\n"
        "Leave empty for the day of the meeting.")
    convocation_date = fields.Date("Convocation Date",
        domain=[
            If(Eval('convocation_date', None) & Eval('date', None),
                ('convocation_date', '<=', Eval('date', None)),
                ()),
            ],
        help="The date of the letters.\n"
        "Leave empty for the day the meeting is convened.")
    call = fields.Selection([
            ('first', "First"),
            ('second', "Second"),
            ], "Call", required=True, sort=False,
        help="The second call needs only its own quorum.")
    call_string = call.translated('call')
    quorum_basis = fields.Selection([
            ('members', "Members"),
            ('votes', "Votes"),
            ], "Quorum Basis", required=True, sort=False,
        help="What the quorum counts.")
    quorum_basis_string = quorum_basis.translated('quorum_basis')
    quorum_percent = fields.Numeric("Quorum Percentage",
        domain=['OR',
            ('quorum_percent', '=', None),
            [
                ('quorum_percent', '>=', 0),
                ('quorum_percent', '<=', 100),
                ],
            ],
        help="The share of the members or votes that must be present.")
    quorum_minimum = fields.Integer("Quorum Minimum",
        help="The number of members or votes that is enough "
        "whatever their share is.")
    proxies_per_holder = fields.Integer("Proxies per Holder",
        help="The number of members one person may represent at most.\n"
        "Leave empty for no limit.")
    items = fields.One2Many('coop.meeting.item', 'meeting', "Agenda")
    attendances = fields.One2Many(
        'coop.meeting.attendance', 'meeting', "Attendance")
    letter = fields.Text("Letter of the Board",
        help="The board's word to the members, which opens the annual "
        "report.")
    commentary = fields.Text("Commentary on the Year",
        help="What the board reports about the year and what comes next.")
    minutes = fields.Text("Minutes")
    formal_minutes = fields.Function(
        fields.Boolean("Formal Minutes"), 'on_change_with_formal_minutes')
    chair = fields.Many2One(
        'party.party', "Chair", ondelete='RESTRICT', states=_states_minutes,
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Who chairs the meeting and signs the minutes.")
    secretary = fields.Many2One(
        'party.party', "Secretary", ondelete='RESTRICT',
        states=_states_minutes,
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Who keeps and signs the minutes.")
    start_time = fields.Time("Opened at", "%H:%M", states=_states_minutes)
    end_time = fields.Time("Closed at", "%H:%M", states=_states_minutes)
    convocation_proof = fields.Text("Proof of Convocation",
        states=_states_minutes,
        help="How and when the members were called, "
        "and by what it can be proved.")
    annexes = fields.One2Many(
        'coop.meeting.annex', 'meeting', "Annexes", states=_states_minutes,
        help="What belongs to the minutes, "
        "as the roll or the annual accounts.")
    eligible_members = fields.Function(
        fields.Integer("Eligible Members"), 'get_counts')
    eligible_votes = fields.Function(
        fields.Integer("Eligible Votes"), 'get_counts')
    present_members = fields.Function(
        fields.Integer("Present Members",
            help="The members present or represented."),
        'get_counts')
    present_votes = fields.Function(
        fields.Integer("Present Votes",
            help="The votes present or represented."),
        'get_counts')
    quorum_needed = fields.Function(
        fields.Integer("Quorum"), 'get_counts')
    quorum_reached = fields.Function(
        fields.Boolean("Quorum Reached"), 'get_counts')
    state = fields.Selection([
            ('draft', "Draft"),
            ('convened', "Convened"),
            ('open', "Open"),
            ('closed', "Closed"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    del _states_minutes

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('quorum_minimum_positive',
                Check(t, t.quorum_minimum >= 0),
                'coop_membership.msg_meeting_quorum_minimum_positive'),
            ('proxies_positive',
                Check(t, t.proxies_per_holder >= 0),
                'coop_membership.msg_meeting_proxies_positive'),
            ]
        cls._sql_indexes.add(
            Index(t, (t.state, Index.Equality(cardinality='low')),
                where=t.state.in_(['draft', 'convened', 'open'])))
        cls._order = [
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/form//page[@id="report"]', 'states', {
                    'invisible': Eval('kind') == 'board',
                    }),
            ]

    @classmethod
    def order_number(cls, tables):
        table, _ = tables[None]
        return [CharLength(table.number), table.number]

    @classmethod
    def _get_configuration(cls, name):
        Configuration = Pool().get('coop.membership.configuration')
        return Configuration(1).get_multivalue(name)

    @classmethod
    def default_kind(cls):
        return 'ordinary'

    @classmethod
    def default_call(cls):
        return 'first'

    @classmethod
    def default_quorum_basis(cls):
        return cls._get_configuration('quorum_basis')

    @classmethod
    def default_quorum_percent(cls):
        return cls._get_configuration('first_quorum_percent')

    @classmethod
    def default_quorum_minimum(cls):
        return cls._get_configuration('first_quorum_minimum')

    @classmethod
    def default_proxies_per_holder(cls):
        return cls._get_configuration('proxies_per_holder')

    @fields.depends('company')
    def on_change_with_formal_minutes(self, name=None):
        Configuration = Pool().get('coop.membership.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'formal_minutes', company=self.company.id)

    @fields.depends('call', 'company')
    def on_change_call(self):
        Configuration = Pool().get('coop.membership.configuration')
        if self.call and self.company:
            for name in ['quorum_percent', 'quorum_minimum']:
                setattr(self, name, Configuration(1).get_multivalue(
                        f'{self.call}_{name}', company=self.company.id))

    @classmethod
    def get_counts(cls, meetings, names):
        pool = Pool()
        Attendance = pool.get('coop.meeting.attendance')
        attendance = Attendance.__table__()
        cursor = Transaction().connection.cursor()
        counts = {name: dict.fromkeys(map(int, meetings), 0)
            for name in [
                'eligible_members', 'eligible_votes', 'present_members',
                'present_votes', 'quorum_needed', 'quorum_reached']}

        eligible = attendance.votes > 0
        present = attendance.presence.in_(['present', 'represented'])
        cursor.execute(*attendance.select(
                attendance.meeting,
                Count(Case((eligible, 1))),
                Sum(attendance.votes),
                Count(Case((eligible & present, 1))),
                Sum(Case((present, attendance.votes), else_=0)),
                where=fields.SQL_OPERATORS['in'](
                    attendance.meeting, list(map(int, meetings))),
                group_by=attendance.meeting))
        for id_, *values in cursor:
            for name, value in zip(counts, values):
                counts[name][id_] = int(value)
        for meeting in meetings:
            basis = meeting.quorum_basis
            needed = quorum(
                counts[f'eligible_{basis}'][meeting.id],
                percent=meeting.quorum_percent,
                minimum=meeting.quorum_minimum)
            counts['quorum_needed'][meeting.id] = needed
            counts['quorum_reached'][meeting.id] = (
                counts[f'present_{basis}'][meeting.id] >= needed)
        return {name: counts[name] for name in names}

    def get_rec_name(self, name):
        lang = Pool().get('ir.lang').get()
        names = [f'[{self.number}]'] if self.number else []
        return ' '.join(
            names + [self.kind_string, lang.strftime(self.date)])

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, meetings):
        Attendance = Pool().get('coop.meeting.attendance')
        Attendance.delete([a for m in meetings for a in m.attendances])

    @classmethod
    @ModelView.button
    @Workflow.transition('convened')
    def convene(cls, meetings):
        Date = Pool().get('ir.date')
        cls.set_number(meetings)
        attendances = []
        for meeting in meetings:
            with Transaction().set_context(company=meeting.company.id):
                today = Date.today()
            if not meeting.record_date:
                meeting.record_date = meeting.date
            if not meeting.convocation_date:
                meeting.convocation_date = min(today, meeting.date)
            if meeting.kind != 'board':
                attendances.extend(meeting._get_roll())
        cls.save(meetings)
        save_records(attendances)

    def _get_roll(self):
        "Return the attendances of the members of the record date"
        pool = Pool()
        Attendance = pool.get('coop.meeting.attendance')
        Configuration = pool.get('coop.membership.configuration')
        Register = pool.get('coop.member.register')
        cap = Configuration(1).get_multivalue(
            'votes_cap', company=self.company.id)
        with Transaction().set_context(
                company=self.company.id, date=self.record_date,
                category=None, with_left=False):
            entries = Register.search([
                    ('company', '=', self.company.id),
                    ], order=[('number', 'ASC')])
            votes = {
                entry.member: entry.votes
                for sub_entries in grouped_slice(entries, SLICE)
                for entry in Register.browse(list(sub_entries))}
        if cap:
            votes = cap_votes(votes, cap)
        return [
            Attendance(
                meeting=self, member=member, votes=votes, presence='absent')
            for member, votes in votes.items()]

    @classmethod
    @ModelView.button
    @Workflow.transition('open')
    def open(cls, meetings):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('closed')
    def close(cls, meetings):
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        Office = pool.get('coop.member.office')
        for meeting in meetings:
            if (not meeting.quorum_reached
                    and any(i.is_voted for i in meeting.items)):
                raise MeetingQuorumError(gettext(
                        'coop_membership.msg_meeting_close_quorum',
                        meeting=meeting.rec_name,
                        quorum=meeting.quorum_needed))
        items = [i for m in meetings for i in m.items]
        Item.check_elections(items)
        Item.set_result(items)
        Office.take(items)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, meetings):
        pass
