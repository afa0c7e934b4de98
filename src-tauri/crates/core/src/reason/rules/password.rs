//! The password: what servers say of it in their languages. A noun for what was shown, and near it what is wrong with it; a
//! noun alone says nothing.

use crate::reason::Reason as R;
use crate::reason::rule::{Rule, When::*, rule};
use crate::reason::{Phase, Protocol};

const MAIL: &[Protocol] = &[Protocol::Imap, Protocol::Smtp];
const AUTH: &[Phase] = &[Phase::Greeting, Phase::Auth, Phase::Push];

/// What says that it is wrong, whatever else is said.
const WRONG: &[&str] = &[
    "password|passwd|passphrase|credential|username|user name|user id|userid|login name|pwd|authentication data|login or pass|login credentials|email address|pass$ + invalid|incorrect|wrong|bad$|not match|mismatch|doesnt match|dont match|do not match|not recogni|not valid|inaccurate|not correct|isnt correct|mistyped|unrecogni|not the right|isnt right",
    "login incorrect|incorrect login|invalid login|invalid user|invalid account|bad login|bad user$|bad username|wrong user|unknown user or|invalid logon|login invalid|passerr|badcredentials|re authentication failure|invalid email|passwords do not match",
    "passwort|kennwort|zugangsdaten|benutzername|benutzer|anmeldedaten|logindaten + falsch|ungültig|fehlerhaft|inkorrekt|stimmt nicht|stimmen nicht|nicht korrekt|nicht richtig",
    "mot de passe|identifiant|nom dutilisateur + incorrect|invalide|erron|mauvais|incorrecte",
    "contraseña|usuario|credenciales|clave + incorrect|inválid|no válid|erróne|equivocad",
    "password|credenziali|utente + errat|non valid|non corrett|sbagliat",
    "senha|palavra passe|usuário|utilizador|credenciais + incorret|inválid|errad",
    "contrasenya|usuari + incorrect|no vàlid",
    "парол|логин|учетные данные|имя пользователя + неверн|неправильн|некорректн|ошибочн|неверен",
    "пароль|логін|імя користувача + невірн|неправильн|хибн",
    "парола|потребителско име + грешн|невалидн|неправилн",
    "hasło|login|dane logowania|nazwa użytkownika + błędn|nieprawidłow|niepoprawn",
    "heslo|uživatelské jméno|přihlašovací údaje|prihlasovacie údaje + nesprávn|chybn|neplatn|špatn",
    "jelszó|felhasználónév + hibás|érvénytelen|helytelen",
    "parolă|parola|utilizator + incorect|greșit|invalid",
    "wachtwoord|gebruikersnaam|inloggegevens + onjuist|ongeldig|verkeerd|niet juist",
    "lösenord|användarnamn + fel$|felaktig|ogiltig",
    "adgangskode|kodeord|brugernavn|passord|brukernavn + forkert|ugyldig|feil$",
    "salasana|käyttäjätunnus + väär|virheelli",
    "parola|şifre|kullanıcı adı + hatalı|yanlış|geçersiz",
    "κωδικός|συνθηματικό|όνομα χρήστη + λάθος|λανθασμέν|μη έγκυρ|εσφαλμέν",
    "כתובת|סיסמה|הסיסמה|שם משתמש + שגוי|שגויה|אינה נכונה",
    "كلمة المرور|كلمة السر|اسم المستخدم + غير صحيح|خاطئة|خطأ",
    "mật khẩu|tên đăng nhập + không đúng|không chính xác|sai$",
    "kata sandi|sandi|nama pengguna + salah|tidak valid|tidak benar",
    "密码错误|密码不正确|密码有误|密码不匹配|密码无效|密碼錯誤|密碼不正確|密碼有誤",
    "パスワード|ユーザー名|ユーザid|認証情報 + 違い|違って|正しく|間違|誤って|誤り|一致しま|無効",
    "비밀번호|암호|사용자 이름|아이디 + 틀렸|틀립|올바르지|잘못|일치하지|맞지",
    "รหัสผ่าน + ไม่ถูกต้อง|ผิด",
];

/// What says so where nothing is said of a server's own trouble.
const NOT_TAKEN: &[&str] = &[
    "password|passwd|passphrase|credential|username|user name|user id|login name|pwd|authentication data|login credentials|pass$ + not accept|reject|error|fail|denied|unaccept|unknown|refused|check your|empty|missing|unable to verify|could not be verified",
    "logindenied|logondenied|user authentication failed",
    "passwort|kennwort|zugangsdaten|benutzername|anmeldedaten|logindaten + unbekannt|bitte prüfen|bitte überprüfen|nicht akzeptiert|abgelehnt",
    "mot de passe|identifiants + refusé|rejeté",
    "帐号或密码|账号或密码|用户名或密码",
    "парол + ошиб",
];
const TROUBLE: &[&str] = &[
    "temporar|try again later|internal|unavailable|timeout|timed out|database|backend|ldap|directory|token|sender address|recipient|certificate|another step|server error|not responding|does not respond|unreachable|maintenance|overload|busy",
    "datenbank|antwortet nicht|vorübergehend|wartung|base de données|indisponible|base de datos|mantenimiento|temporalmente|banco de dados|временно|系统|服务器",
];

pub(in crate::reason) const CREDENTIALS: &[Rule] = &[
    rule("credentials", R::CredentialsRejected)
        .when(&[In(MAIL), At(AUTH)])
        .says(WRONG)
        .not(&["another step|sender address|recipient|certificate|expired|access token|bearer token"]),
    rule("credentials-not-taken", R::CredentialsRejected)
        .when(&[In(MAIL), At(AUTH)])
        .says(NOT_TAKEN)
        .not(TROUBLE),
];
