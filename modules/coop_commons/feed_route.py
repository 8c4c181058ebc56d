# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from http import HTTPStatus

from trytond.protocols.wrappers import (
    Response, abort, with_pool, with_transaction)
from trytond.transaction import Transaction
from trytond.wsgi import app


@app.route('/<database_name>/coop_commons/feed/<key>.ics', methods=['GET'])
@with_pool
@with_transaction()
def commons_feed(request, pool, key):
    "Return the feed to whoever knows its key"
    try:
        Feed = pool.get('coop.commons.feed')
    except KeyError:
        # The database does without the commons
        abort(HTTPStatus.NOT_FOUND)
    Lang = pool.get('ir.lang')
    feed = Feed.read_key(key)
    if not feed:
        abort(HTTPStatus.NOT_FOUND)
    party = feed.member.party if feed.member else feed.company.party
    lang = party.lang or feed.company.party.lang or Lang.get()
    with Transaction().set_context(
            company=feed.company.id, companies=[feed.company.id],
            language=lang.code):
        calendar = Feed(feed.id).get_calendar()
    return Response(
        calendar, HTTPStatus.OK, content_type='text/calendar; charset=utf-8',
        headers={'Cache-Control': 'private, max-age=300'})
