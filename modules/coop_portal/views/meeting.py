# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The meetings to which the member is called: papers, answers and results"""
from flask import (
    Blueprint, abort, flash, redirect, render_template, request, url_for)
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired, Length, Optional

from .. import access
from ..page import Form, lazy_text, page, text
from .account import send

blueprint = Blueprint('meeting', __name__, url_prefix='/meetings')
ATTENDANCE = 'coop.meeting.attendance'
# By whom a proxy is held who is not on the list
OTHER = 'proxy'


class AnswerForm(Form):
    answer = RadioField(lazy_text('answer'), [InputRequired()])
    number = StringField(
        lazy_text('proxy_number'), [Optional(), Length(max=100)])
    name = StringField(
        lazy_text('proxy_name'), [Optional(), Length(max=200)])

    def __init__(self, attendance):
        super().__init__(data={'answer': attendance.answer})
        agents = [
            (f'agent-{p.id}', text('proxy_agent', person=p.name))
            for p in attendance.agents]
        self.answer.choices = [
            ('comes', text('comes')),
            *agents,
            (OTHER, text('proxy')),
            ('stays', text('stays')),
            ]

    def get_holder(self, attendance):
        "Return to whom the proxy is given"
        if self.answer.data == OTHER:
            return attendance.find_holder(
                self.number.data or '', self.name.data or '')
        for party in attendance.agents:
            if self.answer.data == f'agent-{party.id}':
                return party


def _called():
    "The meetings that the member is called to, without drafts"
    return access.find(ATTENDANCE, [
            ('meeting.state', 'in', ['convened', 'open', 'closed']),
            ('meeting.kind', '!=', 'board'),
            ], order=[('meeting.date', 'DESC'), ('id', 'DESC')])


@blueprint.route('')
@page(part='meeting')
def index():
    return render_template('meetings.html', attendances=_called())


@blueprint.route('/<int:id_>', methods=['GET', 'POST'])
@page(part='meeting')
def meeting(id_):
    attendance = _get(id_)
    form = None
    if attendance.meeting.state == 'convened':
        form = AnswerForm(attendance)
        if form.accepted:
            answer = form.answer.data
            attendance.announce(
                answer if answer in {'comes', 'stays'} else 'proxy',
                form.get_holder(attendance))
            flash(text('answered'))
            return redirect(url_for('meeting.meeting', id_=id_))
    elif request.method == 'POST':
        abort(404)
    return render_template(
        'meeting.html', attendance=attendance, meeting=attendance.meeting,
        form=form, papers=access.papers(attendance.meeting))


@blueprint.route('/<int:id_>/convocation')
@page(part='meeting')
def convocation(id_):
    attendance = _get(id_)
    return send(*access.print_(
            attendance.meeting, 'coop_membership.report_convocation',
            members=[attendance.member.id]))


@blueprint.route('/<int:id_>/papers/<int:paper>')
@page(part='meeting')
def paper(id_, paper):
    for attachment in access.papers(_get(id_).meeting):
        if attachment.id == paper:
            return send(attachment.name, bytes(attachment.data))
    abort(404)


def _get(id_):
    attendance = access.get(ATTENDANCE, id_)
    if attendance not in _called():
        abort(404)
    return attendance
