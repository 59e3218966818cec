!> Land options by name, so that a facade needs one procedure for all of them.
module pl_land_options
   use pl_error, only: error_input, error_type, raise_error
   use pl_kinds, only: rk
   use pl_land_chunk, only: albedo_age, albedo_grains, evaporation_beta, evaporation_dry_surface_layer, land_options_type
   use pl_land_chunk, only: snow_conductivity_calonne, snow_conductivity_jordan, snow_conductivity_sturm
   use pl_land_chunk, only: stomata_ball_berry, stomata_medlyn, stress_pressure_head, stress_soil_water
   use pl_land_chunk, only: surface_glacier, surface_soil, surface_urban
   use pl_snow_options, only: check_snow_options, set_snow_option
   implicit none (type, external)
   private
   public :: check_land_options, set_land_option

contains

   !> Set one option; numbers of schemes come as whole reals.
   subroutine set_land_option(options, name, value, error)
      type(land_options_type), intent(inout) :: options
      character(len=*), intent(in) :: name                !! member of land_options_type
      real(rk), intent(in) :: value                       !! in the unit of the member
      type(error_type), allocatable, intent(out) :: error !! no such option
      select case (name)
      case ("stomata")
         options%stomata = nint(value)
      case ("soil_evaporation")
         options%soil_evaporation = nint(value)
      case ("water_stress")
         options%water_stress = nint(value)
      case ("snow_albedo")
         options%snow_albedo = nint(value)
      case ("snow_conductivity")
         options%snow_conductivity = nint(value)
      case ("surface_kind")
         options%surface_kind = nint(value)
      case ("slab_conductivity")
         options%slab_conductivity = value
      case ("slab_heat_capacity")
         options%slab_heat_capacity = value
      case ("bottom_heat_flux")
         options%bottom_heat_flux = value
      case ("stability_limit")
         options%stability_limit = value
      case ("soil_roughness")
         options%soil_roughness = value
      case ("soil_emissivity")
         options%soil_emissivity = value
      case ("snow_roughness")
         options%snow_roughness = value
      case ("snow_emissivity")
         options%snow_emissivity = value
      case default
         if (index(name, "snow_") == 1) then
            call set_snow_option(name(6:), value, options%snow, error)
         else
            call raise_error(error, error_input, "the land columns have no option '"//name//"'")
         end if
      end select
   end subroutine set_land_option

   !> Schemes must be among those that exist.
   subroutine check_land_options(options, error)
      type(land_options_type), intent(in) :: options
      type(error_type), allocatable, intent(out) :: error
      if (all(options%stomata /= [stomata_ball_berry, stomata_medlyn])) then
         call raise_error(error, error_input, "unknown stomata scheme")
      else if (all(options%soil_evaporation /= [evaporation_dry_surface_layer, evaporation_beta])) then
         call raise_error(error, error_input, "unknown soil evaporation scheme")
      else if (all(options%water_stress /= [stress_pressure_head, stress_soil_water])) then
         call raise_error(error, error_input, "unknown scheme of water stress")
      else if (all(options%snow_conductivity /= [snow_conductivity_jordan, snow_conductivity_sturm, &
                                                 snow_conductivity_calonne])) then
         call raise_error(error, error_input, "unknown scheme of the thermal conductivity of snow")
      else if (all(options%surface_kind /= [surface_glacier, surface_soil, surface_urban])) then
         call raise_error(error, error_input, "unknown kind of ground")
      else if (options%surface_kind /= surface_soil .and. .not. options%slab_conductivity > 0.0_rk) then
         call raise_error(error, error_input, "a ground that is no soil needs slab_conductivity above 0 W m-1 K-1")
      else if (options%surface_kind == surface_urban .and. .not. options%slab_heat_capacity > 0.0_rk) then
         call raise_error(error, error_input, "urban ground needs slab_heat_capacity above 0 J m-3 K-1")
      else if (all(options%snow_albedo /= [albedo_grains, albedo_age])) then
         call raise_error(error, error_input, "unknown scheme of the albedo of snow")
      else
         call check_snow_options(options%snow, error)
      end if
   end subroutine check_land_options

end module pl_land_options
