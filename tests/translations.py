# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Bring the translations up to date with the sources: bin/translations

What is translated stays, what is new is added empty or, if the same text is
translated elsewhere, fuzzy, and what is obsolete goes.
"""
import sys
from importlib.metadata import distribution
from pathlib import Path

from trytond.modules import get_module_info
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, activate_module
from trytond.transaction import Transaction

LANGUAGES = ['de', 'es', 'fr', 'it']
MODULES = {
    name: get_module_info(name) for name in sorted(
        entry_point.name
        for entry_point in distribution('trytond-coop').entry_points
        if entry_point.group == 'trytond.modules')}
# The optional modules bring texts too, and so does the one of ours that the
# whole does not depend on
EXTRAS = sorted({
        extra for info in MODULES.values()
        for extra in info.get('extras_depend', [])}
    - MODULES.keys()
    # A chart takes long to load, and brings no texts of ours
    - {'account_fr'}
    | {'coop_portal'})


def po_path(module, language):
    return Path(MODULES[module]['directory']) / 'locale' / f'{language}.po'


def set_sources():
    """Add the texts of the reports and views to those of the models

    For reports the query of Tryton's wizard is too deep for SQLite.
    """
    pool = Pool()
    Report = pool.get('ir.action.report')
    Set = pool.get('ir.translation.set', type='wizard')
    Translation = pool.get('ir.translation')

    session_id, _, _ = Set.create()
    wizard = Set(session_id)
    wizard.set_view()
    to_create = []
    for report in Report.search([
                ('translatable', '=', True),
                ('module', 'in', list(MODULES)),
                ]):
        extract = getattr(
            wizard, f'extract_report_{report.template_extension}')
        for string in sorted(set(extract(report.report_content))):
            to_create.append({
                    'name': report.report_name,
                    'res_id': -1,
                    'lang': 'en',
                    'type': 'report',
                    'src': string,
                    'module': report.module,
                    })
    Translation.create(to_create)
    Set.delete(session_id)


def update(languages):
    "Write the files of the languages"
    pool = Pool()
    Clean = pool.get('ir.translation.clean', type='wizard')
    Lang = pool.get('ir.lang')
    Translation = pool.get('ir.translation')
    Update = pool.get('ir.translation.update', type='wizard')

    langs = Lang.search([('code', 'in', languages)])
    Lang.write(langs, {'translatable': True})
    paths = {
        (m, l.code): po_path(m, l.code) for l in langs for m in MODULES}
    for (module, language), path in paths.items():
        if path.exists():
            Translation.translation_import(language, module, str(path))
    set_sources()
    session_id, _, _ = Clean.create()
    Clean(session_id).transition_clean()
    for lang in langs:
        session_id, _, _ = Update.create()
        wizard = Update(session_id)
        wizard.start.language = lang
        wizard.do_update({})
    for (module, language), path in paths.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(Translation.translation_export(language, module))


def main(languages):
    activate_module(sorted({*MODULES, *EXTRAS}))
    with Transaction().start(DB_NAME, 1):
        update(languages or LANGUAGES)


if __name__ == '__main__':
    main(sys.argv[1:])
