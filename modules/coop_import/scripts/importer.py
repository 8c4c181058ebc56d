# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What the scripts that import a file have in common.

The rows go to the server in one call, which is one transaction: all are
stored or none, also when the script is stopped half-way.
"""
import getpass
import logging
import os
import sys
import xml.etree.ElementTree as ET
from argparse import (
    ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter)
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from xmlrpc.client import Fault, ProtocolError

try:
    import argcomplete
except ImportError:
    argcomplete = None

try:
    from tqdm import tqdm
except ImportError:
    tqdm = None

try:
    from proteus import Model, config
except ImportError:
    prog = os.path.basename(sys.argv[0])
    sys.exit("proteus must be installed to use %s" % prog)

from trytond.exceptions import UserError, UserWarning
from trytond.modules.coop_import.process import Process, RefusedError
from trytond.modules.coop_import.profile import (
    ProfileError, list_profiles, load_profile)

try:
    from trytond.modules.coop_import.table import FileError, Table
except ImportError as error:
    sys.exit("%s must be installed: pip install 'trytond-coop[import]'"
        % error.name)

# The reasons that fit on a screen: the file of the rejects has them all
SHOWN = 50
MESSAGES = {
    record.get('id'): record.findtext("field[@name='text']")
    for record in ET.parse(
        Path(__file__).parents[1] / 'message.xml').iter('record')}


class ServerError(Exception):
    "Nothing can be imported to the server"


def translate(error):
    "Return the text of an error in English"
    return MESSAGES[error.message] % error.variables


@contextmanager
def _progress(total):
    "Show the progress of a server in the same process"
    if not tqdm:
        yield
        return
    with tqdm(
            total=total, desc="Import", unit=" rows", disable=None) as bar:
        class Handler(logging.Handler):
            def emit(self, record):
                done, bar.total = record.args
                bar.n = done
                bar.refresh()

        handler = Handler()
        logger = logging.getLogger('trytond.modules.coop_import.importer')
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


def get_send(model, options):
    "Return the function that sends rows to the server"
    def send(rows, on_error, dry_run):
        try:
            proxy = Model.get(model)._proxy
        except (KeyError, Fault) as error:
            raise ServerError(
                "The module of %s is not activated." % model) from error
        try:
            return proxy.import_rows(
                rows, on_error, dry_run, options,
                config.get_config().context)
        except (UserError, UserWarning) as error:
            raise RefusedError(error.message) from error
        except Fault as fault:
            # The codes of UserError and UserWarning
            if fault.faultCode not in {1, 2}:
                raise
            raise RefusedError(
                fault.faultString.removesuffix(" - ")) from fault
    return send


def _assignment(text):
    left, equal, right = text.partition('=')
    if not (left and equal):
        raise ArgumentTypeError('"%s" has no left side and =' % text)
    return left.strip(), right.strip()


def get_parser(description, columns):
    "Return the parser of the arguments that all the imports have"
    width = max(map(len, columns))
    parser = ArgumentParser(
        description=description, formatter_class=RawDescriptionHelpFormatter,
        epilog="columns of the file (* is required):\n" + '\n'.join(
            "  %s%s  %s" % (
                name.ljust(width),
                '*' if column.required and not column.many else ' ',
                column.help)
            for name, column in columns.items()))
    parser.add_argument('file', help="the CSV or Excel file")
    server = parser.add_argument_group("where to import to")
    server.add_argument('-d', '--database', help="the name of the database")
    server.add_argument('-c', '--config', dest='config_file',
        help="the trytond config file")
    server.add_argument('--url',
        help="import to the server at the URL, as https://host/database/, "
        "instead of the database")
    server.add_argument('-u', '--user', default='admin',
        help="the login of the user who imports (default: %(default)s)")
    server.add_argument('--company',
        help="the name of the company, if it is not the user's current one")
    reading = parser.add_argument_group("how to read the file")
    reading.add_argument('--profile', metavar='NAME_OR_FILE',
        help="a file that tells all of this, which the other options change, "
        "or one of %s" % ", ".join(list_profiles()))
    reading.add_argument('--map', action='append', default=[],
        type=_assignment, metavar='HEADER=COLUMN',
        help="the column that a header of the file stands for")
    reading.add_argument('--set', action='append', default=[],
        type=_assignment, metavar='COLUMN=TEXT',
        help="the same text for all the rows, where {line} stands for the "
        "number of the line")
    reading.add_argument('--delimiter',
        help="what is between the cells (default: found out)")
    reading.add_argument('--encoding',
        help="the encoding of the text, as cp1252 (default: found out)")
    reading.add_argument('--sheet',
        help="the name of the sheet of an Excel file (default: the first)")
    reading.add_argument('--date-format', metavar='FORMAT',
        help="how dates are written, those before a time too, as %%d.%%m.%%Y "
        "(default: %%Y-%%m-%%d)")
    reading.add_argument('--decimal-mark', choices=['.', ','],
        help="what is before the decimals (default: found out)")
    errors = parser.add_argument_group("what to do")
    errors.add_argument('--dry-run', action='store_true',
        help="try everything, report and store nothing")
    errors.add_argument('--on-error', choices=['stop', 'skip'],
        default='stop',
        help="store nothing if a row is refused or store the others "
        "(default: %(default)s)")
    errors.add_argument('--rejects', metavar='FILE',
        help="where the refused rows are written to "
        "(default: FILE.rejects.csv or .xlsx)")
    return parser


def _set_company(name):
    current = config.get_config()
    Company = Model.get('company.company')
    companies = Company.find([
            ('party.name', '=', name),
            ('id', 'in', current.context.get('companies', [])),
            ], limit=2)
    if len(companies) != 1:
        raise ServerError("There is no company %s of the user." % name)
    current.set_context(company=companies[0].id)


def load(
        filename, model, columns, unique=(), alike=(), rejects=None,
        on_error='stop', dry_run=False, options=None, **reading):
    """Import a file through the current configuration of proteus

    Returns the result with the reasons of what was refused.
    """
    table = Table(columns, unique=unique, alike=alike, **reading)
    with open(filename, 'rb') as data:
        table.load(data.read())
    _describe(table)
    process = Process(
        table, get_send(model, options or {}), translate, on_error=on_error,
        dry_run=dry_run)
    with _progress(len(table.records)):
        result = process.run()
    if result.reasons:
        extension = '.xlsx' if table.is_workbook else '.csv'
        result.rejects = rejects or filename + '.rejects' + extension
        with open(result.rejects, 'wb') as file:
            file.write(process.get_rejects(result))
    return result


def _describe(table):
    "Tell how the file is read, where that is not sure"
    if table.ignored:
        print("Ignored columns: %s" % ", ".join(table.ignored),
            file=sys.stderr)
    if table.other_sheets:
        print("Only the sheet %s is read, not %s" % (
                table.sheet, ", ".join(table.other_sheets)), file=sys.stderr)
    if table.has_guessed:
        line, text = table.sample
        print('The encoding is %s, as in "%s" on line %s' % (
                table.encoding, text, line), file=sys.stderr)


def report(result, dry_run=False):
    "Print the result for the user"
    for kind, reasons in [
            ("", result.reasons), ("Warning: ", result.warnings)]:
        for reason in reasons[:SHOWN]:
            print("%s%s" % (kind, reason))
        if len(reasons) > SHOWN:
            print("... and %s more" % (len(reasons) - SHOWN))
    if result.held:
        print("Nothing is stored: %s rows are held because of the refused "
            "ones." % len(result.held))
    if result.rejects:
        print("The rejected rows are in %s" % result.rejects)
    print("%s%s" % ("Dry run: " if dry_run else "", result))


@contextmanager
def connect(database, url, user, config_file):
    "Connect proteus to the database or the server"
    with ExitStack() as stack:
        try:
            if url:
                url = url.rstrip('/').removesuffix('/rpc') + '/rpc/'
                password = (
                    os.environ.get('TRYTON_PASSWORD') or getpass.getpass())
                stack.enter_context(
                    config.set_xmlrpc_session(url, user, password))
            else:
                # It tells of each attempt to connect
                logging.getLogger('psycopg.pool').setLevel(logging.CRITICAL)
                config.set_trytond(
                    database, user=user, config_file=config_file)
        except ProtocolError as error:
            if error.errcode in {401, 403}:
                raise ServerError(
                    "The server refuses the user %s with this password."
                    % user) from error
            raise ServerError("The server %s answers: %s %s" % (
                    url, error.errcode, error.errmsg)) from error
        except IndexError as error:
            raise ServerError("There is no user %s in the database %s." % (
                    user, database)) from error
        # Each kind of database has errors of its own
        except Exception as error:
            raise ServerError("The %s %s can not be reached: %s" % (
                    "server" if url else "database", url or database,
                    ' '.join(str(error).split()))) from error
        yield


def _add_profile(arguments, name):
    "Return the arguments with those of the profile, unless they are given"
    if not name:
        return arguments
    profile = load_profile(name)
    constants = {**profile.pop('constants'), **arguments['constants']}
    return {**arguments, 'constants': constants, **{
            key: value for key, value in profile.items()
            if not arguments.get(key)}}


def run(description, columns, do_import, get_parser=get_parser):
    """Run a script with the arguments of the command line

    `do_import` is called with the name of the file and the arguments.
    """
    parser = get_parser(description, columns)
    if argcomplete:
        argcomplete.autocomplete(parser)
    args = parser.parse_args()
    if bool(args.database) == bool(args.url):
        parser.error("either the database or the URL is required")

    names = vars(args).copy()
    database, url, user, config_file, company = map(
        names.pop, ['database', 'url', 'user', 'config_file', 'company'])
    filename = names.pop('file')
    names['mapping'] = dict(names.pop('map'))
    names['constants'] = dict(names.pop('set'))

    try:
        names = _add_profile(names, names.pop('profile'))
        with connect(database, url, user, config_file):
            if company:
                _set_company(company)
            result = do_import(filename, **names)
    except FileError as error:
        sys.exit(translate(error))
    except ProfileError as error:
        sys.exit("The profile can not be read: %s" % error)
    except (ServerError, RefusedError, OSError) as error:
        sys.exit(str(error))
    except (Fault, ProtocolError, HTTPException) as error:
        sys.exit("The server has failed: %s" % ' '.join(str(error).split()))
    report(result, args.dry_run)
    sys.exit(1 if result.reasons else 0)
