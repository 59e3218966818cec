!> Humidity at the soil surface and the soil's hold on its water.
!>
!> Humidity: Philip (1957), alpha = exp(psi g/(R_wv T)), CLM Technical Note eqs. 5.73-5.76. Two schemes for the hold:
!> a dry surface layer with a resistance to vapour diffusion (Swenson and Lawrence 2014, J. Geophys. Res. 119,
!> 10299-10312; numbers as coded in CTSM's SurfaceResistanceMod, which adds 20 s m-1), or the factor beta of Lee and
!> Pielke (1992, J. Appl. Meteorol. 31, 480-484) of CLM4.5 that scales the conductance from soil to air.
module pl_soil_evaporation
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point, gas_water_vapour, gravity, pi
   use pl_kinds, only: rk
   use pl_land_chunk, only: evaporation_beta, ground_chunk_type, land_options_type, weather_chunk_type
   use pl_moist_air, only: saturation_humidity
   implicit none (type, external)
   private
   public :: lowest_pressure_head, soil_surface_humidity, soil_surface_type, vapour_tortuosity

   real(rk), parameter :: lowest_pressure_head = -1.0e5_rk !! CLM's bound of the matric potential, -1e8 mm [m]
   real(rk), parameter :: thickest_layer = 0.015_rk        !! dry surface layer of a dry soil [m]
   real(rk), parameter :: dry_layer_bound = 0.2_rk         !! CTSM's upper bound of the dry surface layer [m]
   real(rk), parameter :: onset = 0.8_rk                   !! saturation below which a dry layer forms [1]
   real(rk), parameter :: smallest_deficit = 0.001_rk      !! CTSM's floor of the water deficits [m3 m-3]
   real(rk), parameter :: wet_resistance = 20.0_rk         !! of soil without a dry layer, CTSM code [s m-1]
   real(rk), parameter :: vapour_diffusivity = 2.12e-5_rk  !! of water vapour in air at the freezing point [m2 s-1]

   !> Properties of the top layer that do not change in time.
   type :: soil_surface_type
      real(rk) :: porosity(w)       !! [m3 m-3]
      real(rk) :: air_dry_water(w)  !! water content at -1e4 m, where the dry layer is complete [m3 m-3]
      real(rk) :: tortuosity(w)     !! of vapour diffusion, see `vapour_tortuosity` [1]
      real(rk) :: field_capacity(w) !! water content at which drainage falls to 0.1 mm day-1 (beta scheme) [m3 m-3]
   end type soil_surface_type

contains

   !> Tortuosity of vapour diffusion through the dry layer (CLM note eq. 5.79; Moldrup et al. 1999).
   elemental function vapour_tortuosity(porosity, air_dry_water, exponent) result(tortuosity)
      real(rk), intent(in) :: porosity      !! [m3 m-3]
      real(rk), intent(in) :: air_dry_water !! below the porosity [m3 m-3]
      real(rk), intent(in) :: exponent      !! Clapp-Hornberger b; 1/(n - 1) for van Genuchten [1]
      real(rk) :: tortuosity                !! [1]
      real(rk) :: air_filled
      air_filled = porosity - air_dry_water
      tortuosity = air_filled*air_filled*(air_filled/porosity)**(3.0_rk/exponent)
   end function vapour_tortuosity

   !> Fill humidity, its slope, resistance and evaporation factor of `ground` at the ground's temperature.
   !>
   !> Where the air lies between the humidity of the soil and saturation there is neither evaporation nor dew, and
   !> the surface takes the humidity of the air (CLM note eq. 5.76). In dew the soil offers no resistance, and the water
   !> on it is free: the humidity is that of saturation, at which dew stops. (The note keeps alpha: dew sets in with a
   !> jump, and goes on while its heat brings dry soil far above the dew point.)
   pure subroutine soil_surface_humidity(options, weather, soil, water, ice, pressure_head, ground)
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather !! specific humidity and pressure of the air
      type(soil_surface_type), intent(in) :: soil
      real(rk), intent(in) :: water(w)         !! liquid of the top layer [m3 m-3]
      real(rk), intent(in) :: ice(w)           !! of the top layer, as volume of liquid water [m3 m-3]
      real(rk), intent(in) :: pressure_head(w) !! of the top layer [m]
      type(ground_chunk_type), intent(inout) :: ground
      real(rk) :: saturated(w), slope(w), alpha, head
      logical :: is_between
      integer :: i
      call saturation_humidity(ground%soil_temperature, weather%air_pressure, saturated, slope)
      do i = 1, w
         head = min(max(pressure_head(i), lowest_pressure_head), 0.0_rk)
         alpha = exp(head*gravity/(gas_water_vapour*ground%soil_temperature(i)))
         is_between = saturated(i) > weather%specific_humidity(i) &
                      .and. weather%specific_humidity(i) > alpha*saturated(i)
         if (weather%specific_humidity(i) >= saturated(i)) alpha = 1.0_rk
         ground%humidity(i) = merge(weather%specific_humidity(i), alpha*saturated(i), is_between)
         ground%humidity_slope(i) = merge(0.0_rk, alpha*slope(i), is_between)
         ground%resistance(i) = 0.0_rk
         ground%evaporation_factor(i) = 1.0_rk
      end do
      select case (options%soil_evaporation)
      case (evaporation_beta)
         call find_beta(weather, soil, water + ice, ground)
      case default ! evaporation_dry_surface_layer; options are checked where they are set
         call find_resistance(weather, soil, water, ice, ground)
      end select
   end subroutine soil_surface_humidity

   !> Resistance of the dry surface layer; it forms in the pores that ice leaves open (eff_porosity in CTSM).
   pure subroutine find_resistance(weather, soil, water, ice, ground)
      type(weather_chunk_type), intent(in) :: weather
      type(soil_surface_type), intent(in) :: soil
      real(rk), intent(in) :: water(w) !! liquid [m3 m-3]
      real(rk), intent(in) :: ice(w)   !! [m3 m-3]
      type(ground_chunk_type), intent(inout) :: ground
      real(rk) :: layer, ratio, diffusivity
      integer :: i
      do i = 1, w
         layer = thickest_layer*max(onset*(soil%porosity(i) - ice(i)) - water(i), smallest_deficit) &
                 /max(onset*soil%porosity(i) - soil%air_dry_water(i), smallest_deficit)
         layer = min(layer, dry_layer_bound)
         ratio = ground%soil_temperature(i)/freezing_point
         diffusivity = vapour_diffusivity*ratio*sqrt(ratio)*sqrt(sqrt(ratio)) ! ratio**1.75
         ground%resistance(i) = merge(0.0_rk, layer/(diffusivity*soil%tortuosity(i)) + wet_resistance, &
                                      weather%specific_humidity(i) > ground%humidity(i))
      end do
   end subroutine find_resistance

   !> Factor beta = (1 - cos(pi theta/theta_fc))**2/4, 1 at field capacity, above it and in dew; theta with ice (CTSM).
   pure subroutine find_beta(weather, soil, water, ground)
      type(weather_chunk_type), intent(in) :: weather
      type(soil_surface_type), intent(in) :: soil
      real(rk), intent(in) :: water(w) !! liquid and ice [m3 m-3]
      type(ground_chunk_type), intent(inout) :: ground
      real(rk) :: wetness
      integer :: i
      do i = 1, w
         wetness = min(max(water(i)/soil%field_capacity(i), 0.0_rk), 1.0_rk)
         ground%evaporation_factor(i) = merge(1.0_rk, 0.25_rk*(1.0_rk - cos(pi*wetness))**2, &
                                              weather%specific_humidity(i) > ground%humidity(i))
      end do
   end subroutine find_beta

end module pl_soil_evaporation
