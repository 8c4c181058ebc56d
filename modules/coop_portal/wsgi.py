# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The portal as a WSGI application, for one database and all its companies

    gunicorn 'trytond.modules.coop_portal.wsgi:create_app()'
"""
import logging
import os
import secrets

from flask import Flask, g, make_response, render_template, request
from flask_tryton import Tryton
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.middleware.proxy_fix import ProxyFix

import trytond.config as config
from trytond.exceptions import RateLimitException

from . import access, page, upload
from .views import (
    account, door, join, look, meeting, own, requests, shares, use)

logger = logging.getLogger(__name__)

HEADERS = {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': '; '.join([
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            ]),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    }
VIEWS = [look, door, join, account, requests, shares, use, own, meeting]
# What is the same for all who come
COMMON = {'static', 'look.colors', 'look.logo'}
# Whose forms take files
UPLOADS = {'requests.new', 'join.apply'}
# What another form may hold
MAX_LENGTH = 64 * 1024


def create_app(database=None, secret=None, secure=True):
    """Return the application

    The database and the secret, which must be the same for all processes,
    are in the section coop_portal of Tryton's configuration.  Only on the
    own computer it does without HTTPS.
    """
    config.update_etc(os.environ.get('TRYTOND_CONFIG'))
    app = Flask(__name__)
    app.config.update(
        TRYTON_DATABASE=database or config.get('coop_portal', 'database'),
        TRYTON_CONFIG=os.environ.get('TRYTOND_CONFIG'),
        SECRET_KEY=secret or config.get('coop_portal', 'secret'),
        SESSION_COOKIE_NAME='__Host-portal' if secure else 'portal',
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE='Lax',
        MAX_CONTENT_LENGTH=MAX_LENGTH,
        WTF_I18N_ENABLED=False,
        # As long as the session
        WTF_CSRF_TIME_LIMIT=None,
        )
    for name in ['TRYTON_DATABASE', 'SECRET_KEY']:
        if not app.config[name]:
            raise ValueError(
                "The section coop_portal of the configuration needs a "
                "database and a secret")
    Tryton(app)
    app.before_request(_find_visitor)
    CSRFProtect(app)
    app.after_request(_set_headers)
    app.register_error_handler(HTTPException, _show_error)
    app.register_error_handler(RateLimitException, _show_limit)
    app.register_error_handler(InternalServerError, _show_failure)
    app.jinja_env.globals.update(
        text=page.text, label=page.label, choice=page.choice, day=page.day,
        money=page.money, number=page.number, portal=access.portal,
        members=access.members)
    for views in VIEWS:
        app.register_blueprint(views.blueprint)
    proxies = config.getint('web', 'num_proxies')
    if proxies:
        app.wsgi_app = ProxyFix(
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)
    return app


def _find_visitor():
    if request.endpoint != 'static':
        g.visitor = page.run(access.find_visitor, {}, readonly=True)
        if request.endpoint in UPLOADS and g.visitor.user:
            request.max_content_length = upload.MAX_LENGTH


def _set_headers(response):
    for name, value in HEADERS.items():
        if name == 'Cache-Control' and request.endpoint in COMMON:
            value = 'max-age=3600'
        response.headers[name] = value
    return response


def _show_error(error):
    "Answer in a few words what can not be shown, or lead where it can"
    if error.code and error.code < 400:
        return error
    name = {404: 'not_found', 413: 'too_large', 429: 'limit'}.get(
        error.code, 'bad_request')
    return _show_message(name, error.code)


def _show_limit(error):
    return _show_message('limit', 429)


def _show_failure(error):
    "Answer with a number by which the failure is found in the log"
    failure = secrets.token_hex(4)
    logger.error("portal failure %s", failure, exc_info=error)
    return _show_message('failure', 500, number=failure)


def _show_message(name, code, **values):
    def show():
        return render_template(
            'error.html', message=page.text(name, **values))
    try:
        body = page.run(show, {}, readonly=True, as_visitor=False)
    except Exception:
        logger.exception("portal message")
        body = name
    return make_response(body, code)
