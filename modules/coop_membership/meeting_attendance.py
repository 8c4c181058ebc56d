# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import Counter

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, Unique, fields
from trytond.model.exceptions import AccessError
from trytond.pool import Pool
from trytond.pyson import Eval

from .document import PartMixin, SearchMixin
from .exceptions import MeetingValidationError


class Attendance(SearchMixin, PartMixin, ModelSQL, ModelView):
    __name__ = 'coop.meeting.attendance'
    __string__ = "Meeting Attendance"
    _document = 'meeting'
    _search_names = ('member.rec_name',)

    meeting = fields.Many2One(
        'coop.meeting', "Meeting", required=True, ondelete='CASCADE')
    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company', searcher='search_company')
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'readonly': Eval('id', -1) >= 0,
            })
    votes = fields.Integer("Votes", required=True,
        states={
            'readonly': Eval('id', -1) >= 0,
            },
        help="The number of votes at the record date.")
    presence = fields.Selection([
            ('absent', "Absent"),
            ('present', "Present"),
            ('represented', "Represented"),
            ], "Presence", required=True, sort=False)
    presence_string = presence.translated('presence')
    representative = fields.Many2One(
        'party.party', "Representative", ondelete='RESTRICT',
        states={
            'readonly': Eval('presence') != 'represented',
            'required': Eval('presence') == 'represented',
            },
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="The member who is present or a representative of the member.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('meeting')
        t = cls.__table__()
        cls._sql_constraints += [
            ('member_unique', Unique(t, t.meeting, t.member),
                'coop_membership.msg_attendance_member_unique'),
            ('votes_positive', Check(t, t.votes >= 0),
                'coop_membership.msg_attendance_votes_positive'),
            ]
        cls._order.insert(0, ('member', 'ASC'))

    @classmethod
    def default_votes(cls):
        return 1

    @classmethod
    def default_presence(cls):
        return 'absent'

    @fields.depends('meeting', '_parent_meeting.company')
    def on_change_with_company(self, name=None):
        return self.meeting.company if self.meeting else None

    @classmethod
    def search_company(cls, name, clause):
        return [('meeting.' + clause[0], *clause[1:])]

    @fields.depends('presence', 'representative')
    def on_change_presence(self):
        if self.presence != 'represented':
            self.representative = None

    def get_rec_name(self, name):
        return f'{self.member.rec_name} @ {self.meeting.rec_name}'

    @classmethod
    def check_modification(
            cls, mode, attendances, values=None, external=False):
        super().check_modification(
            mode, attendances, values=values, external=external)
        if not external or (
                mode == 'write'
                and not values.keys() & {'meeting', 'member', 'votes'}):
            return
        meetings = {a.meeting for a in attendances}
        if mode == 'write' and values.get('meeting'):
            # The roll that they enter
            meetings.add(
                Pool().get('coop.meeting')(int(values['meeting'])))
        for meeting in meetings:
            if meeting.kind != 'board':
                raise AccessError(gettext(
                        'coop_membership.msg_attendance_modify_roll',
                        meeting=meeting.rec_name))

    @classmethod
    def validate_fields(cls, attendances, field_names):
        super().validate_fields(attendances, field_names)
        if field_names and not (
                field_names & {'meeting', 'presence', 'representative'}):
            return
        for meeting in {a.meeting for a in attendances}:
            cls._check_proxies(meeting)

    @classmethod
    def _check_proxies(cls, meeting):
        "Check the proxies of the roll of the meeting"
        represented = cls.search([
                ('meeting', '=', meeting.id),
                ('representative', '!=', None),
                ])
        if not represented:
            return
        present = {
            a.member.party: a.presence for a in cls.search([
                    ('meeting', '=', meeting.id),
                    ('member.party', 'in', [
                            a.representative.id for a in represented]),
                    ])}
        proxies = Counter()
        for attendance in represented:
            holder = attendance.representative
            error = None
            if attendance.presence != 'represented':
                error = 'not_represented'
            elif holder == attendance.member.party:
                error = 'self'
            elif (holder in attendance.member.holders_at(meeting.date)
                    or any(
                        r.party == holder and r.is_legal
                        and r.is_valid(meeting.date)
                        for r in attendance.member.representatives)):
                # Who is the member too, or acts by law, needs no proxy
                continue
            elif holder in present:
                if present[holder] == 'represented':
                    error = 'chain'
                elif present[holder] == 'absent':
                    error = 'absent'
            elif not any(
                    r.party == holder and r.is_valid(meeting.date)
                    for r in attendance.member.representatives):
                error = 'stranger'
            if not error:
                proxies[holder] += 1
                if (meeting.proxies_per_holder is not None
                        and proxies[holder] > meeting.proxies_per_holder):
                    error = 'limit'
            if error:
                raise MeetingValidationError(gettext(
                        f'coop_membership.msg_attendance_proxy_{error}',
                        member=attendance.member.rec_name,
                        representative=holder.rec_name,
                        limit=meeting.proxies_per_holder))
