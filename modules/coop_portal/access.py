# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Who is at the door, and what is his

The only way from a request of a browser to a record: it runs as the user of
the portal of the company that the host name says, for the members whom the
web user who has signed in is or acts for.  What is not theirs is not found.
"""
from typing import NamedTuple

from flask import abort, g, request, session

from trytond.pool import Pool
from trytond.transaction import Transaction, without_check_access

# The parts that a portal may open, and the model without which there is none
PARTS = {
    'join': 'coop.member',
    'meeting': 'coop.meeting',
    'shares': 'coop.share.subscription',
    'use': 'coop.commons.booking',
    }


class Visitor(NamedTuple):
    portal: int
    company: int
    portal_user: int
    parts: frozenset
    language: str
    user: int | None = None
    members: tuple = ()
    parties: tuple = ()

    @property
    def open_context(self):
        return {
            'company': self.company,
            'language': self.language,
            }

    @property
    def context(self):
        return {
            **self.open_context,
            '_check_access': True,
            'portal_user': self.user,
            'portal_members': list(self.members),
            'portal_parties': list(self.parties),
            }


def exists(model):
    "Return whether the module of the model is activated"
    return model in dict(Pool().iterobject())


def find_visitor():
    "Return who is at which door; it runs as nobody, without access checks"
    pool = Pool()
    Portal = pool.get('coop.portal.configuration')
    User = pool.get('web.user')
    host, *_ = request.host.lower().partition(':')
    portals = Portal.search([('host', '=', host)])
    if not portals:
        abort(404)
    portal, = portals
    user = User.get_user(session['key']) if 'key' in session else None
    visitor = Visitor(
        portal=portal.id,
        company=portal.company.id,
        portal_user=portal.user.id,
        parts=frozenset(
            name for name, model in PARTS.items()
            if getattr(portal, name) and exists(model)),
        language=_find_language(portal, user))
    if user and user.active:
        members = [m for m in user.members if m.company == portal.company]
        visitor = visitor._replace(
            user=user.id,
            members=tuple(m.id for m in members),
            parties=tuple(m.party.id for m in members))
    return visitor


def _find_language(portal, user):
    Lang = Pool().get('ir.lang')
    codes = Lang.get_translatable_languages()
    lang = user.party.lang if user and user.party else None
    if lang and lang.code in codes:
        return lang.code
    asked = request.accept_languages.best_match(
        [c.replace('_', '-') for c in codes])
    if asked:
        return asked.replace('-', '_')
    lang = portal.company.party.lang
    return lang.code if lang else Transaction().language


def sign_in(email, password):
    "Begin a new session, return whether the user may"
    User = Pool().get('web.user')
    key = User.sign_in(email, password)
    if key:
        session.clear()
        session['key'] = key
    return bool(key)


def sign_out():
    Session = Pool().get('web.user.session')
    key = session.get('key')
    session.clear()
    with without_check_access():
        Session.remove(key)


def portal():
    return Pool().get('coop.portal.configuration')(g.visitor.portal)


def members():
    "Return the members whom the visitor is or acts for"
    return Pool().get('coop.member').browse(g.visitor.members)


def member():
    "Return the member whom the visitor looks at"
    chosen = session.get('member')
    for member in members():
        if member.id == chosen or chosen not in g.visitor.members:
            return member
    abort(404)


def choose_member(id_):
    session['member'] = get('coop.member', id_).id


def _applications():
    "Return the domain of what the visitor has applied for, as nobody's yet"
    return [
        ('company', '=', g.visitor.company),
        ('kind', '=', 'application'),
        ('member', '=', None),
        ('user', '=', g.visitor.user),
        ]


def applications():
    "Return the applications of the visitor that have led to nothing yet"
    return Pool().get('coop.portal.request').search(_applications())


def category(id_):
    "Return the category if one can apply for it"
    for category in portal().open_categories:
        if category.id == id_:
            return category
    abort(404)


def paper(id_):
    "Return what an applicant may read before agreeing to the document"
    Request = Pool().get('coop.portal.request')
    for document, _ in Request.papers(g.visitor.company):
        if document.id == id_:
            attachment = attached(document)
            if attachment:
                return attachment
    abort(404)


def attached(document):
    "Return the first attachment of the document that can be read, if any"
    Attachment = Pool().get('ir.attachment')
    with without_check_access():
        for attachment in Attachment.search([
                    ('resource', '=', str(document)),
                    ], order=[('id', 'ASC')]):
            if attachment.link or attachment.data:
                return attachment


def papers(meeting):
    "Return the files of the meeting that its members may read"
    with without_check_access():
        meeting = meeting.__class__(meeting.id)
        return [a for a in meeting.papers if a.type == 'data' and a.data]


def _own(name):
    "Return the domain of the records of the model that are the visitor's"
    if name == 'coop.member':
        return [('id', 'in', g.visitor.members)]
    elif name == 'account.invoice':
        return [
            ('company', '=', g.visitor.company),
            ('party', 'in', g.visitor.parties),
            ]
    elif name == 'coop.portal.request':
        return ['OR',
            ('member', 'in', g.visitor.members),
            _applications()]
    else:
        return [('member', 'in', g.visitor.members)]


def find(name, domain=(), order=None):
    "Return the records of the member whom the visitor looks at"
    Model = Pool().get(name)
    if name == 'account.invoice':
        his = ('party', '=', member().party.id)
    else:
        his = ('member', '=', member().id)
    return Model.search([_own(name), his, *domain], order=order)


def get(name, id_):
    "Return the record by its id"
    records = Pool().get(name).search([_own(name), ('id', '=', id_)])
    if not records:
        abort(404)
    return records[0]


def create(record):
    "Create the record with the rights of the portal, which save() is without"
    record, = record.__class__.create([record._save_values()])
    return record


def attach(record, name, content):
    "Attach the file to the record, which the visitor has just created"
    Attachment = Pool().get('ir.attachment')
    with without_check_access():
        Attachment.create([{
                    'name': name,
                    'resource': str(record),
                    'data': content,
                    }])


def attachment_names(record):
    "Return what the files that the visitor has sent are called"
    Attachment = Pool().get('ir.attachment')
    with without_check_access():
        return [
            a.name for a in Attachment.search([
                    ('resource', '=', str(record)),
                    ('create_uid', '=', g.visitor.portal_user),
                    ], order=[('id', 'ASC')])]


def print_(record, action, **data):
    "Return the extension and the content of a paper on the record"
    pool = Pool()
    ActionReport = pool.get('ir.action.report')
    ModelData = pool.get('ir.model.data')
    with without_check_access():
        action = ActionReport(ModelData.get_id(action))
        Report = pool.get(action.report_name, type='report')
        extension, content, _, name = Report.execute([record.id], {
                'action_id': action.id,
                'model': record.__class__.__name__,
                'id': record.id,
                'ids': [record.id],
                **data})
    return f'{name}.{extension}', content
