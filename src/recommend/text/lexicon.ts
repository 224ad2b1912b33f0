/*
 * What a text may not say unless its facts do. Whole words; `~` at the end takes all that begin so. Precision is not the aim: a text
 * refused for nothing is replaced by the template, one let through wrongly reaches a member.
 */

const patterns = (stems: string): RegExp[] =>
  stems
    .trim()
    .split(/\s+/)
    .map((stem) => new RegExp(stem.endsWith('~') ? `^${stem.slice(0, -1)}` : `^${stem}$`));

export const lexicons: readonly {
  refusal: 'promise' | 'medical-claim' | 'score' | 'instruction';
  patterns: readonly RegExp[];
}[] = [
  {
    refusal: 'promise',
    patterns: patterns(`
      guarante~ promis~ free cure cures cured curing certain certainly definitely surely always never ensur~ assur~ proven
      riskless eliminat~ prevents prevented must best perfect~ miracle~ instant~ immediate~ discount~ cheap~ save saves
      saved saving savings cost costs price~ pay pays paid payment~ refund~ bonus~ reward~ gift~ win wins winner prize~ cash money
      dollar~ entitled approved covered coverage reimburs~ improve improves improved improving reduce reduces reduced reducing
      lower lowers lowered lowering fix fixes fixed
    `),
  },
  {
    refusal: 'medical-claim',
    patterns: [
      ...patterns(`
        diabet~ insulin glucose sugar~ a1c hba cancer~ tumou~ tumor~ oncolog~ heart~ cardi~ blood~ pressure cholesterol hypertens~
        stroke~ asthma~ copd respirat~ lung~ breath~ allerg~ depress~ anxi~ mental~ psych~ bipolar schizo~ autis~ adhd suicid~
        stress~ therap~ disease~ disorder~ syndrome~ infect~ virus~ viral bacteri~ hiv aids std stds pregnan~ fertil~ contracept~
        abort~ surger~ surgical operation~ diagnos~ prognos~ symptom~ medicat~ medicin~ medical~ drug~ prescri~ dose~ dosage~ pill~ tablet~
        antibiotic~ vaccin~ immun~ treat~ heal heals healed healing chronic~ acute pain~ ache~ arthrit~ joint joints obes~
        weight~ overweight bmi kidney~ renal dialys~ liver~ hepat~ thyroid~ hormon~ alzheimer~ dementia parkinson~ epilep~
        seizure~ migraine~ headache~ addict~ alcohol~ opioid~ substance~ smok~ tobacco nicotin~ screening~ biops~ scan scans
        risk risks risky danger~ urgent~ serious~ severe~ complication~ detect~ outcome~ hospital~ emergenc~ ill illness~ sick~ disab~ condition~ die dies died dying death~ mortal~ terminal fatal patient~
        doctor~ physician~ nurse~ specialist~ clinic clinics clinical~ genetic~ hereditary genom~ transplant~ wound~ injur~ fracture~
      `),
      /(?:itis|aemia|emia|osis|oma|pathy|ectomy|plasty|oscopy|statin|pril|sartan|olol|mab|formin|cillin|azole|caine)s?$/,
    ],
  },
  {
    refusal: 'score',
    patterns: patterns(`
      score~ scoring rank~ rating~ percent~ probabilit~ likelihood odds statistic~ model models modell~ algorithm~ predict~ forecast~
      calculat~ computed analytic~ dataset~ database~ machine~ automat~ feature features factor factors points
    `),
  },
  {
    refusal: 'instruction',
    patterns: patterns(`
      prompt~ instruct~ ignore~ ignoring disregard~ overrid~ system~ assistant~ ai chatbot~ bot bots language~ jailbreak~
      click~ link~ download~ password~ login ssn bank~ wire~ transfer~ account~ card cards http~ json canary
    `),
  },
];

/** Words for numbers; "one" is more often a pronoun. */
export const numberWords: ReadonlySet<string> = new Set(
  `zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
   twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million millions billion dozen dozens
   half quarter third thirds twice thrice double doubled triple tripled percent percentage tenth tenths decade decades`
    .trim()
    .split(/\s+/),
);

/** With these a sentence commonly starts; another word with a capital there may be somebody's name. */
export const sentenceStarters: ReadonlySet<string> = new Set(
  `a about after all also although an and another any as at based because before being both but by can choosing consider
   considering during each even every exploring feel for from getting give given having here how however if in instead it it's its
   joining just keeping let like looking making many maybe more most much no now of on one or our overall perhaps please right
   seeing simple since small so some something soon staying such take taking that that's the their then there these they thinking
   this those through to today together trying under using we we'd we'll we're we've well what when whenever where whether which
   while with within would yes yet you you'd you'll you're you've your`
    .trim()
    .split(/\s+/),
);
