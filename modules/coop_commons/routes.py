# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import json
from decimal import Decimal
from http import HTTPStatus

from trytond.exceptions import UserError
from trytond.protocols.wrappers import (
    Response, abort, allow_null_origin, user_application, with_pool,
    with_transaction)
from trytond.transaction import Transaction, without_check_access
from trytond.wsgi import app

from .intake import is_text, receive

MAX_BYTES = 1024 * 1024
MAX_EVENTS = 1000

commons_application = user_application('coop_commons')


@app.route('/<database_name>/coop_commons/usage', methods=['POST'])
@allow_null_origin
@with_pool
@with_transaction()
@commons_application
def commons_usage(request, pool):
    """Take a batch of usages

    The body is an object with the list of 'events' and, if wanted, the
    'source' of all of them and with 'skip' that the good ones are taken when
    others are bad.
    """
    User = pool.get('res.user')
    source, events, skip = _parse(request)
    user = User(Transaction().user)
    if not user.company or not _is_steward(pool):
        abort(HTTPStatus.FORBIDDEN)
    with Transaction().set_context(
                company=user.company.id, companies=[user.company.id]), \
            without_check_access():
        try:
            results = receive(
                user.company, events, source or 'http', skip)
        except UserError as error:
            # Another process was faster
            Transaction().rollback()
            return _response(
                {'error': error.message}, HTTPStatus.CONFLICT)
    status = HTTPStatus.OK
    if any(r['status'] == 'error' for r in results) and not skip:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _response({'results': results}, status)


def _parse(request):
    "Return the source, the events and whether the bad ones are skipped"
    if request.content_length is None:
        abort(HTTPStatus.LENGTH_REQUIRED)
    if request.content_length > MAX_BYTES:
        abort(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        # What is compressed is not taken, it could be of any size
        data = json.loads(
            request.get_data().decode('utf-8'),
            parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError):
        abort(HTTPStatus.BAD_REQUEST)
    if not isinstance(data, dict):
        abort(HTTPStatus.BAD_REQUEST)
    source, events = data.get('source'), data.get('events')
    skip = data.get('skip', False)
    if not ((source is None or is_text(source))
            and isinstance(events, list)
            and isinstance(skip, bool)):
        abort(HTTPStatus.BAD_REQUEST)
    if len(events) > MAX_EVENTS:
        abort(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return source, events, skip


def _refuse_constant(name):
    raise ValueError("%s is not a number" % name)


def _is_steward(pool):
    ModelData = pool.get('ir.model.data')
    User = pool.get('res.user')
    return ModelData.get_id(
        'coop_commons', 'group_commons_stewardship') in User.get_groups()


def _response(data, status):
    return Response(
        json.dumps(data), status, content_type='application/json')
