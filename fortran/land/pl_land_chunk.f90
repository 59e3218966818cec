!> Chunks of columns as the land kernels see them: fixed-width arrays, one type per subject.
!>
!> Bands: 1 visible (below 0.7 um), 2 near infrared. Everything is per m2 of ground unless it says
!> "leaf". Turbulent and longwave fluxes are positive upward, water fluxes in kg m-2 s-1.
module pl_land_chunk
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_snow_options, only: snow_options_type
   implicit none (type, external)
   private
   public :: canopy_state_type, flux_chunk_type, ground_chunk_type, land_options_type
   public :: plant_chunk_type, radiation_chunk_type, weather_chunk_type
   public :: canopy_area_limit, nband, visible, near_infrared
   public :: stomata_ball_berry, stomata_medlyn, stress_pressure_head, stress_soil_water
   public :: evaporation_beta, evaporation_dry_surface_layer
   public :: surface_glacier, surface_soil, surface_urban
   public :: albedo_age, albedo_grains
   public :: snow_conductivity_calonne, snow_conductivity_jordan, snow_conductivity_sturm

   integer, parameter :: nband = 2
   integer, parameter :: visible = 1, near_infrared = 2
   real(rk), parameter :: canopy_area_limit = 0.05_rk !! leaf and stem area from which there is a canopy [m2 m-2]
   integer, parameter :: stomata_ball_berry = 1, stomata_medlyn = 2
   integer, parameter :: evaporation_dry_surface_layer = 1, evaporation_beta = 2
   integer, parameter :: surface_soil = 1, surface_glacier = 2, surface_urban = 3
   integer, parameter :: stress_pressure_head = 1, stress_soil_water = 2
   integer, parameter :: albedo_grains = 1, albedo_age = 2 !! schemes of pl_snow_albedo
   integer, parameter :: snow_conductivity_jordan = 1, snow_conductivity_sturm = 2, snow_conductivity_calonne = 3

   !> Choices of schemes and scalars shared by all columns.
   type :: land_options_type
      integer :: stomata = stomata_medlyn                          !! stomatal conductance scheme
      integer :: soil_evaporation = evaporation_dry_surface_layer  !! soil evaporation scheme
      integer :: water_stress = stress_soil_water                  !! what limits root uptake in dry soil
      integer :: snow_conductivity = snow_conductivity_sturm      !! thermal conductivity of snow
      integer :: surface_kind = surface_soil                       !! what the ground is
      real(rk) :: slab_conductivity = 0.0_rk                       !! of a ground that is no soil; 0: by texture [W m-1 K-1]
      real(rk) :: slab_heat_capacity = 0.0_rk                      !! of a ground that is no soil, without water [J m-3 K-1]
      integer :: snow_albedo = albedo_grains                       !! albedo of snow
      type(snow_options_type) :: snow                              !! mechanics of the pack
      real(rk) :: bottom_heat_flux = 0.0_rk                        !! into the lowest layer from below [W m-2]
      real(rk) :: stability_limit = 0.5_rk                         !! largest zeta in stable air [1]
      real(rk) :: soil_roughness = 0.00085_rk                      !! momentum roughness length of bare soil [m]
      real(rk) :: soil_emissivity = 0.96_rk                        !! longwave emissivity of soil [1]
      real(rk) :: snow_roughness = 0.0024_rk                       !! momentum roughness length of snow [m]
      real(rk) :: snow_emissivity = 0.97_rk                        !! longwave emissivity of snow [1]
   end type land_options_type

   !> Forcing, mean over the step.
   type :: weather_chunk_type
      real(rk) :: air_temperature(w)      !! at reference height [K]
      real(rk) :: specific_humidity(w)    !! at reference height [kg kg-1]
      real(rk) :: air_pressure(w)         !! at the surface [Pa]
      real(rk) :: wind_speed(w)           !! at reference height [m s-1]
      real(rk) :: rainfall(w)             !! [kg m-2 s-1]
      real(rk) :: snowfall(w)             !! [kg m-2 s-1]
      real(rk) :: shortwave_down(w)       !! [W m-2]
      real(rk) :: longwave_down(w)        !! [W m-2]
      real(rk) :: cosine_zenith(w)        !! of the sun, mean over the sunlit part of the step; <= 0 at night [1]
      real(rk) :: co2(w)                  !! mole fraction [mol mol-1]
      real(rk) :: reference_height(w)     !! of the forcing above the zero-displacement plane plus roughness [m]
      ! derived once per step (pl_radiation, pl_weather)
      real(rk) :: air_density(w)          !! moist air [kg m-3]
      real(rk) :: vapour_pressure(w)      !! [Pa]
      real(rk) :: potential_temperature(w) !! air temperature + 0.0098 z [K]
      real(rk) :: shortwave_direct(w, nband)  !! [W m-2]
      real(rk) :: shortwave_diffuse(w, nband) !! [W m-2]
   end type weather_chunk_type

   !> One patch (plant functional type) of every column.
   type :: plant_chunk_type
      real(rk) :: fraction(w)             !! share of the column; 0 where the patch is absent [1]
      real(rk) :: leaf_area(w)            !! one-sided leaf area index [m2 m-2]
      real(rk) :: stem_area(w)            !! stem area index [m2 m-2]
      real(rk) :: canopy_top(w)           !! [m]
      real(rk) :: canopy_bottom(w)        !! lowest leaves [m]
      real(rk) :: leaf_angle(w)           !! departure from spherical orientation chi_L [1]
      real(rk) :: leaf_reflectance(w, nband)   !! [1]
      real(rk) :: leaf_transmittance(w, nband) !! [1]
      real(rk) :: stem_reflectance(w, nband)   !! [1]
      real(rk) :: stem_transmittance(w, nband) !! [1]
      real(rk) :: roughness_ratio(w)      !! momentum roughness length / canopy top [1]
      real(rk) :: displacement_ratio(w)   !! displacement height / canopy top [1]
      real(rk) :: leaf_dimension(w)       !! along the wind [m]
      real(rk) :: vcmax25_top(w)          !! carboxylation capacity at 25 degC, canopy top [umol m-2 leaf s-1]
      real(rk) :: is_c4(w)                !! 1 for C4, 0 for C3 photosynthesis
      real(rk) :: stomatal_slope(w)       !! Ball-Berry m [1] or Medlyn g1 [kPa^0.5]
      real(rk) :: stomatal_intercept(w)   !! minimum conductance [umol m-2 leaf s-1]
      real(rk) :: growth_temperature(w)   !! 10-day mean air temperature [K]
      real(rk) :: daylength_factor(w)     !! (day length / longest day)**2 [1]
      real(rk) :: snow_share(w)           !! of leaves and stems under intercepted snow, for light [1]
      real(rk) :: water_stress(w)         !! beta_t, 1 without stress (from pl_root_uptake) [1]
      real(rk) :: sprinkling(w)           !! irrigation above the canopy [kg m-2 s-1]
   end type plant_chunk_type

   !> The ground below the canopy and beside it: soil, in part covered with snow.
   type :: ground_chunk_type
      real(rk) :: temperature(w)          !! mean of soil and snow surface [K]
      real(rk) :: fourth_power(w)         !! mean of the fourth powers of their temperatures [K4]
      real(rk) :: soil_temperature(w)     !! of the soil surface (top soil layer) [K]
      real(rk) :: albedo_direct(w, nband)  !! of soil and snow together [1]
      real(rk) :: albedo_diffuse(w, nband) !! of soil and snow together [1]
      real(rk) :: emissivity(w)           !! [1]
      real(rk) :: roughness(w)            !! momentum roughness length [m]
      real(rk) :: humidity(w)             !! specific humidity at the soil surface [kg kg-1]
      real(rk) :: humidity_slope(w)       !! derivative of humidity to temperature [kg kg-1 K-1]
      real(rk) :: resistance(w)           !! of the soil surface to evaporation; 0 for dew [s m-1]
      real(rk) :: evaporation_factor(w)   !! beta, multiplies the soil-to-air vapour conductance; 1 without the beta scheme [1]
      real(rk) :: snow_cover(w)           !! share under snow [1]
      real(rk) :: snow_temperature(w)     !! of the snow surface [K]
      real(rk) :: snow_albedo_direct(w, nband)  !! [1]
      real(rk) :: snow_albedo_diffuse(w, nband) !! [1]
      real(rk) :: snow_humidity(w)        !! saturation over ice at the snow surface [kg kg-1]
      real(rk) :: snow_humidity_slope(w)  !! derivative to temperature [kg kg-1 K-1]
   end type ground_chunk_type

   !> Shortwave absorbed by one patch and the ground below it.
   type :: radiation_chunk_type
      real(rk) :: canopy_absorbed(w)      !! shortwave absorbed by leaves and stems [W m-2]
      real(rk) :: ground_absorbed(w)      !! shortwave absorbed by the ground [W m-2]
      real(rk) :: snow_absorbed(w, nband) !! part of it absorbed by snow [W m-2]
      real(rk) :: reflected(w)            !! shortwave reflected by the patch [W m-2]
      real(rk) :: sunlit_leaf_area(w)     !! sunlit leaf area [m2 m-2]
      real(rk) :: shaded_leaf_area(w)     !! shaded leaf area [m2 m-2]
      real(rk) :: sunlit_par(w)           !! visible light absorbed per sunlit leaf area [W m-2 leaf]
      real(rk) :: shaded_par(w)           !! visible light absorbed per shaded leaf area [W m-2 leaf]
      real(rk) :: extinction(w)           !! of the direct beam, K = G/mu [1]
      real(rk) :: canopy_emissivity(w)    !! 1 - exp(-(L+S)) [1]
   end type radiation_chunk_type

   !> Prognostic state of one patch.
   type :: canopy_state_type
      real(rk) :: leaf_temperature(w)     !! [K]
      real(rk) :: canopy_water(w)         !! intercepted liquid [kg m-2]
      real(rk) :: canopy_snow(w)          !! intercepted snow [kg m-2]
   end type canopy_state_type

   !> Fluxes of one patch, mean over the step; ground terms at the temperatures of the step's start, with their slopes for
   !> the implicit solve of ground heat. Those of soil and snow are weighted with the shares of the ground they cover.
   type :: flux_chunk_type
      real(rk) :: sensible_canopy(w)      !! from leaves to air [W m-2]
      real(rk) :: sensible_ground(w)      !! from soil to air [W m-2]
      real(rk) :: sensible_ground_slope(w) !! derivative to the soil's temperature [W m-2 K-1]
      real(rk) :: sensible_snow(w)        !! from snow to air [W m-2]
      real(rk) :: sensible_snow_slope(w)  !! derivative to the snow's temperature [W m-2 K-1]
      real(rk) :: transpiration(w)        !! [kg m-2 s-1]
      real(rk) :: canopy_evaporation(w)   !! from intercepted water and snow; dew negative [kg m-2 s-1]
      real(rk) :: canopy_snow_share(w)    !! part of it that is sublimation or frost [1]
      real(rk) :: ground_evaporation(w)   !! from the soil surface; dew negative [kg m-2 s-1]
      real(rk) :: ground_evaporation_slope(w) !! derivative to the soil's temperature [kg m-2 s-1 K-1]
      real(rk) :: sublimation(w)          !! from the snow surface; frost negative [kg m-2 s-1]
      real(rk) :: sublimation_slope(w)    !! derivative to the snow's temperature [kg m-2 s-1 K-1]
      real(rk) :: longwave_ground(w)      !! net longwave of the soil, up [W m-2]
      real(rk) :: longwave_ground_slope(w) !! derivative to its temperature, 4 eps sigma T**3 [W m-2 K-1]
      real(rk) :: longwave_snow(w)        !! net longwave of the snow, up [W m-2]
      real(rk) :: longwave_snow_slope(w)  !! derivative to its temperature [W m-2 K-1]
      real(rk) :: longwave_canopy(w)      !! net longwave of the canopy, up [W m-2]
      real(rk) :: longwave_up(w)          !! upward longwave above the canopy [W m-2]
      real(rk) :: friction_velocity(w)    !! [m s-1]
      real(rk) :: gross_photosynthesis(w) !! canopy gross photosynthesis [umol m-2 s-1]
      real(rk) :: leaf_respiration(w)     !! canopy leaf respiration [umol m-2 s-1]
      real(rk) :: canopy_conductance(w)   !! stomatal conductance of the canopy to water vapour [m s-1]
      real(rk) :: iterations(w)           !! of the leaf temperature [1]
   end type flux_chunk_type

end module pl_land_chunk
