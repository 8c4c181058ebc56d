# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company import CompanyReport


class Convocation(CompanyReport):
    __name__ = 'coop.meeting.convocation'

    @classmethod
    def get_context(cls, records, header, data):
        context = super().get_context(records, header, data)
        # The letters of some of the members only
        members = data.get('members')
        context['letters'] = [
            (meeting, attendance, party)
            for meeting in records
            for attendance in meeting.attendances
            if members is None or attendance.member.id in members
            for party in attendance.member.recipients(
                meeting.convocation_date)]
        context['address_lines'] = cls.address_lines
        return context

    @classmethod
    def address_lines(cls, party):
        address = party.address_get()
        return address.full_address.splitlines() if address else []


class AttendanceList(CompanyReport):
    __name__ = 'coop.meeting.attendance_list'


class Minutes(CompanyReport):
    __name__ = 'coop.meeting.minutes'
