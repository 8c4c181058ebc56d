# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What is written to who uses the portal, as the texts of e-mails

Each kind of letter is on or off for each company.
"""
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.letter import Letter, LetterReport
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction

LETTERS = [
    ('application', "Application Received"),
    ('answer', "Request Answered"),
    ('notice', "Notice Confirmed"),
    ('meeting', "Convocation"),
    ]


class Configuration(metaclass=PoolMeta):
    __name__ = 'coop.portal.configuration'

    letters = fields.MultiSelection(
        LETTERS, "Letters", sort=False,
        help="Which letters of the portal are sent as e-mails, if the "
        "cooperative sends letters by e-mail.")

    @classmethod
    def default_letters(cls):
        return [name for name, _ in cls.letters.selection]


class Email(metaclass=PoolMeta):
    __name__ = 'notification.email'

    def send_email(self, records, trigger):
        pool = Pool()
        Portal = pool.get('coop.portal.configuration')
        Report = pool.get(self.content.report_name, type='report')
        kind = getattr(Report, '_kind', None)
        if kind:
            portals = Portal.search([
                    ('company', 'in', [r.company.id for r in records]),
                    ])
            companies = {
                p.company for p in portals if kind in (p.letters or ())}
            records = [
                r for r in records
                if r.company in companies and Report.get_member(r)]
        if records:
            super().send_email(records, trigger)


class PortalLetter(LetterReport):
    """A letter of a kind that the company may turn off

    It is about what happens with a record, whatever its state has become
    when it is written.
    """
    __slots__ = ()
    _kind = None

    @classmethod
    def check(cls, record):
        pass


class RequestLetter(PortalLetter):
    "A letter to the web user who has sent the request"
    __slots__ = ()

    @classmethod
    def get_member(cls, request):
        "The letter goes to the web user, who is no member yet"
        return request.user

    @classmethod
    def get_context(cls, records, header, data):
        context = super(LetterReport, cls).get_context(
            records, header, data)
        language = data.get('language')
        context['letters'] = [
            cls._get_letter(r.__class__(int(r)), language) for r in records]
        return context

    @classmethod
    def _get_letter(cls, request, language):
        Date = Pool().get('ir.date')
        language = request.language or language
        with Transaction().set_context(
                company=request.company.id,
                language=(
                    language.code if language else Transaction().language)):
            request = request.__class__(request.id)
            return Letter(
                party=None, address=[], date=cls.day(Date.today()),
                subject=cls.get_subject(request),
                greeting=gettext(
                    'coop_membership.msg_letter_greeting',
                    name=cls._get_name(request)),
                paragraphs=cls.get_paragraphs(request),
                rows=cls.get_rows(request), request=None, request_text=None,
                request_rows=[], request_code=None,
                closing=[
                    gettext('coop_membership.msg_letter_closing'),
                    request.company.party.name])

    @classmethod
    def _get_name(cls, request):
        if request.user.party:
            return request.user.party.name
        return request.representative or request.name

    @classmethod
    def get_subject(cls, request):
        return request.kind_string


class ApplicationLetter(RequestLetter):
    __name__ = 'coop.portal.request.application_letter'
    _kind = 'application'

    @classmethod
    def get_paragraphs(cls, request):
        return [gettext(
                'coop_portal.msg_letter_application',
                name=request.name, company=request.company.party.name)]

    @classmethod
    def get_rows(cls, request):
        return [
            (cls.label(request, 'date'), cls.day(request.date)),
            (cls.label(request, 'category'), request.category.rec_name),
            ]


class AnswerLetter(RequestLetter):
    __name__ = 'coop.portal.request.answer_letter'
    _kind = 'answer'

    @classmethod
    def get_paragraphs(cls, request):
        return list(filter(None, [
                    gettext(
                        'coop_portal.msg_letter_answer',
                        kind=request.kind_string,
                        date=cls.day(request.date),
                        state=request.state_string),
                    request.answer]))


class NoticeLetter(PortalLetter):
    __name__ = 'coop.member.notice_letter'
    _kind = 'notice'

    @classmethod
    def get_member(cls, member):
        return member

    @classmethod
    def get_subject(cls, member):
        return gettext('coop_portal.msg_letter_notice_subject')

    @classmethod
    def get_paragraphs(cls, member):
        return [gettext(
                'coop_portal.msg_letter_notice',
                company=member.company.party.name)]

    @classmethod
    def get_rows(cls, member):
        return [
            (cls.label(member, name), cls.day(getattr(member, name)))
            for name in ['notice_date', 'exit_date']
            if getattr(member, name)]


class MeetingLetter(PortalLetter):
    __name__ = 'coop.meeting.attendance.letter'
    _kind = 'meeting'

    @classmethod
    def get_subject(cls, attendance):
        return attendance.meeting.kind_string

    @classmethod
    def get_paragraphs(cls, attendance):
        return [gettext(
                'coop_portal.msg_letter_meeting',
                company=attendance.company.party.name)]

    @classmethod
    def get_rows(cls, attendance):
        meeting = attendance.meeting
        rows = [(cls.label(meeting, 'date'), cls.day(meeting.date))]
        if meeting.time:
            rows.append((
                    cls.label(meeting, 'time'),
                    meeting.time.strftime('%H:%M')))
        if meeting.place:
            rows.append((cls.label(meeting, 'place'), meeting.place))
        return rows


class Convocation(metaclass=PoolMeta):
    __name__ = 'coop.meeting.convocation'

    @classmethod
    def get_context(cls, records, header, data):
        "Write also to those of an attendance alone"
        Attendance = Pool().get('coop.meeting.attendance')
        attendances = [r for r in records if isinstance(r, Attendance)]
        if attendances:
            records = cls._get_records(
                list({a.meeting.id for a in attendances}), 'coop.meeting',
                data)
            data = {**data, 'members': [a.member.id for a in attendances]}
        return super().get_context(records, header, data)
