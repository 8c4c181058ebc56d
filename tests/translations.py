# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Bring the translations up to date with the sources: bin/translations"""
from configparser import ConfigParser
from pathlib import Path

from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, activate_module
from trytond.transaction import Transaction

LANGUAGES = ['de', 'es', 'fr', 'it']
ROOT = Path(__file__).parent.parent
DIRECTORIES = {
    'coop': ROOT,
    **{d.name: d for d in sorted((ROOT / 'modules').glob('coop_*'))},
    }


def extras():
    "Return the names of the optional modules, which bring texts too"
    names = set()
    for directory in DIRECTORIES.values():
        config = ConfigParser()
        config.read(directory / 'tryton.cfg')
        names.update(config['tryton'].get('extras_depend', '').split())
    return sorted(names - DIRECTORIES.keys())


def po_path(module, language):
    return DIRECTORIES[module] / 'locale' / f'{language}.po'


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
                ('module', 'in', list(DIRECTORIES)),
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
    Lang = pool.get('ir.lang')
    Translation = pool.get('ir.translation')
    langs = Lang.search([('code', 'in', languages)])
    Lang.write(langs, {'translatable': True})
    for language in languages:
        for module in DIRECTORIES:
            path = po_path(module, language)
            if path.exists():
                Translation.translation_import(language, module, str(path))
    set_sources()
    Clean = pool.get('ir.translation.clean', type='wizard')
    session_id, _, _ = Clean.create()
    Clean(session_id).transition_clean()
    Update = pool.get('ir.translation.update', type='wizard')
    for lang in langs:
        session_id, _, _ = Update.create()
        wizard = Update(session_id)
        wizard.start.language = lang
        wizard.do_update({})
    for language in languages:
        for module in DIRECTORIES:
            content = Translation.translation_export(language, module)
            path = po_path(module, language)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)


def main():
    activate_module(['coop', *extras()])
    with Transaction().start(DB_NAME, 1):
        update(LANGUAGES)


if __name__ == '__main__':
    main()
