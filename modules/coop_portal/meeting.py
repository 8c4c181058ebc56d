# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.document import PartMixin
from trytond.modules.coop_membership.similar import fold_name
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval
from trytond.transaction import without_check_access

from .exceptions import RequestError

ANSWERS = [
    (None, ""),
    ('comes', "Comes"),
    ('proxy', "Gives a Proxy"),
    ('stays', "Does not Come"),
    ]


class Meeting(metaclass=PoolMeta):
    __name__ = 'coop.meeting'

    papers = fields.Many2Many(
        'coop.meeting-ir.attachment', 'meeting', 'attachment', "Papers",
        domain=[
            ('resource.id', '=', Eval('id', -1), 'coop.meeting'),
            ],
        help="The files attached to the meeting that its members may read "
        "in the portal.")
    coming = fields.Function(fields.Integer(
            "Will Come",
            help="The members who have said that they come."),
        'get_coming')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._modify_states = {
            state: names | {'papers'}
            for state, names in cls._modify_states.items()}
        cls._sealed_states = {
            state: names | {'papers'}
            for state, names in cls._sealed_states.items()}
        cls._not_copied = cls._not_copied | {'papers'}
        cls._buttons.update({
                'take_proxies': {
                    'invisible': Eval('state') != 'open',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def get_coming(cls, meetings, name):
        Attendance = Pool().get('coop.meeting.attendance')
        return {
            m.id: Attendance.search([
                    ('meeting', '=', m.id),
                    ('answer', '=', 'comes'),
                    ], count=True)
            for m in meetings}

    @classmethod
    @ModelView.button
    def take_proxies(cls, meetings):
        "Represent who is absent by the present member with the proxy"
        Attendance = Pool().get('coop.meeting.attendance')
        attendances = []
        for meeting in meetings:
            present = {
                a.member.party for a in meeting.attendances
                if a.presence == 'present'}
            for attendance in meeting.attendances:
                if (attendance.presence == 'absent'
                        and attendance.proxy in present):
                    attendance.presence = 'represented'
                    attendance.representative = attendance.proxy
                    attendances.append(attendance)
        Attendance.save(attendances)


class Attendance(metaclass=PoolMeta):
    __name__ = 'coop.meeting.attendance'

    answer = fields.Selection(
        ANSWERS, "Answer", sort=False,
        help="What the member has said before the meeting.\n"
        "Who is present counts only at the meeting.")
    answer_string = answer.translated('answer')
    proxy = fields.Many2One(
        'party.party', "Proxy to", ondelete='RESTRICT',
        states={
            'invisible': Eval('answer') != 'proxy',
            'required': Eval('answer') == 'proxy',
            },
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="To whom the member has given a proxy before the meeting.")

    @fields.depends('answer')
    def on_change_answer(self):
        if self.answer != 'proxy':
            self.proxy = None

    @property
    def agents(self):
        "The representatives of the member at the day of the meeting"
        with without_check_access():
            return [
                r.party for r in self.member.representatives
                if r.is_valid(self.meeting.date)]

    @property
    def proxies(self):
        "The members who have given the member a proxy"
        with without_check_access():
            return self.search([
                    ('meeting', '=', self.meeting.id),
                    ('answer', '=', 'proxy'),
                    ('proxy', '=', self.member.party.id),
                    ])

    def find_holder(self, number, name):
        """Return the party of the member on the roll, if any

        Who knows a number does not learn a name by it, nor the other way.
        """
        with without_check_access():
            found = self.search([
                    ('meeting', '=', self.meeting.id),
                    ('member.number', '=', number.strip()),
                    ('id', '!=', self.id),
                    ])
            for attendance in found:
                party = attendance.member.party
                if fold_name(party.name) == fold_name(name):
                    return party

    def announce(self, answer, holder=None):
        """Keep what the member says before the meeting

        A proxy only as it could be used at the meeting.
        """
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        User = pool.get('web.user')
        if self.member.id not in User.acting_members():
            raise AccessError(gettext(
                    'coop_portal.msg_attendance_other'))
        with without_check_access():
            meeting = Meeting(self.meeting.id)
            Meeting.lock([meeting])
            if meeting.state != 'convened':
                raise RequestError(gettext(
                        'coop_portal.msg_attendance_over'))
            attendance = self.__class__(self.id)
            if answer != 'comes' and attendance.proxies:
                raise RequestError(gettext(
                        'coop_portal.msg_attendance_holds'))
            if answer == 'proxy':
                attendance._check_holder(holder)
            else:
                holder = None
            attendance.answer = answer
            attendance.proxy = holder
            attendance.save()

    def _check_holder(self, holder):
        "Check that the person can hold the proxy at the meeting"
        meeting = self.meeting
        others = self.search([
                ('meeting', '=', meeting.id),
                ('member.party', '=', holder.id if holder else -1),
                ('id', '!=', self.id),
                ])
        if not holder or not (others or holder in self.agents):
            raise RequestError(gettext(
                    'coop_portal.msg_attendance_unknown'))
        if any(o.answer in {'proxy', 'stays'} for o in others):
            raise RequestError(gettext('coop_portal.msg_attendance_away'))
        # Who acts by law needs no proxy
        if any(r.party == holder and r.is_legal
                and r.is_valid(meeting.date)
                for r in self.member.representatives):
            return
        limit = meeting.proxies_per_holder
        if limit is not None and self.search([
                    ('meeting', '=', meeting.id),
                    ('answer', '=', 'proxy'),
                    ('proxy', '=', holder.id),
                    ('id', '!=', self.id),
                    ], count=True) >= limit:
            raise RequestError(gettext(
                    'coop_portal.msg_attendance_limit', limit=limit))


class MeetingAttachment(PartMixin, ModelSQL):
    __name__ = 'coop.meeting-ir.attachment'
    _document = 'meeting'

    meeting = fields.Many2One(
        'coop.meeting', "Meeting", required=True, ondelete='CASCADE')
    attachment = fields.Many2One(
        'ir.attachment', "Attachment", required=True, ondelete='CASCADE')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('meeting')
