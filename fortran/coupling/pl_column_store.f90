!> End of a step in a chunk of columns: fluxes as they were met, balances, and what is written.
module pl_column_store
   use pl_chunk, only: first_column, last_column, w => chunk_width
   use pl_column_model, only: column_model_type
   use pl_column_water, only: chunk_storage, water_above
   use pl_column_work, only: column_work_type, snow_flux_type
   use pl_kinds, only: rk
   use pl_land_step, only: finish_land, land_sums_type
   use pl_richards_column, only: richards_flux_type
   use pl_snow_chunk, only: snow_chunk_type, snow_mass
   use pl_water_table, only: water_table_depth
   implicit none (type, external)
   private
   public :: store_step

contains

   !> Finish the fluxes and write the results of a chunk back.
   subroutine store_step(model, dt, chunk, work, thickness, unmet_transpiration, unmet_evaporation, moved, head, water, ice)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                     !! [s]
      integer, intent(in) :: chunk                   !! chunk index
      type(column_work_type), intent(inout) :: work  !! of the land phase
      real(rk), intent(in) :: thickness(w, model%nthermal) !! [m]
      real(rk), intent(in) :: unmet_transpiration(w) !! [kg m-2 s-1]
      real(rk), intent(in) :: unmet_evaporation(w)   !! [kg m-2 s-1]
      type(richards_flux_type), intent(in) :: moved
      real(rk), intent(in) :: head(w, model%nlayer)  !! [m]
      real(rk), intent(in) :: water(w, model%nlayer) !! [m3 m-3]
      real(rk), intent(in) :: ice(w, model%nlayer)   !! [m3 m-3]
      real(rk), dimension(w) :: latent, net_radiation, radiative, residual, above, soil, frozen, total, evaporated
      real(rk), dimension(w) :: table, growth_temperature
      real(rk) :: counted(w)  ! water whose balance is that of the column
      real(rk) :: absorbed(w) ! water that the ground takes and others account for
      integer :: first, last, n
      first = first_column(chunk)
      last = last_column(chunk, model%ncolumn)
      n = last - first + 1
      associate (source => work%source, weather => work%weather, snow_flux => work%snow_flux, sums => work%sums)
         growth_temperature = model%land%growth_temperature(source, 1)
         call finish_land(dt, weather, unmet_transpiration, unmet_evaporation, snow_flux%unmet_sublimation, &
                          snow_flux%lost_heat, growth_temperature, sums, latent, net_radiation, radiative, residual)
         evaporated = sums%transpiration + sums%canopy_evaporation + sums%soil_evaporation + sums%sublimation
         call water_above(model, source, above)
         call chunk_storage(model%nlayer, thickness, model%derived%hydraulics(chunk), water, ice, head, above, soil, frozen, &
                            total)
         call water_table_depth(model%nlayer, thickness, head, table)
         if (model%is_coupled) then ! soil and ponded water are those of the distributed subsurface
            counted = above - model%water%surface_water(source, 1)
            absorbed = snow_flux%water_input - sums%soil_evaporation - sums%transpiration - moved%surface_runoff &
                       - moved%drainage
         else
            counted = total
            absorbed = merge(0.0_rk, moved%infiltration - sums%transpiration, model%has_soil_water)
         end if
         model%land%growth_temperature(first:last, 1) = growth_temperature(:n)
         call store_snow_fluxes(model, first, n, work%snow, snow_flux, sums)
         associate (f => model%land_flux, q => model%water_flux)
            f%net_radiation(first:last, 1) = net_radiation(:n)
            f%shortwave_up(first:last, 1) = sums%shortwave_up(:n)
            f%longwave_up(first:last, 1) = sums%longwave_up(:n)
            f%latent_heat_flux(first:last, 1) = latent(:n)
            f%sensible_heat_flux(first:last, 1) = sums%sensible(:n)
            f%ground_heat_flux(first:last, 1) = sums%soil_heat_gain(:n) - sums%bottom_flux(:n)
            f%transpiration(first:last, 1) = sums%transpiration(:n)
            f%canopy_evaporation(first:last, 1) = sums%canopy_evaporation(:n)
            f%soil_evaporation(first:last, 1) = sums%soil_evaporation(:n)
            f%evapotranspiration(first:last, 1) = evaporated(:n)
            f%throughfall(first:last, 1) = sums%throughfall(:n) + sums%snow_throughfall(:n)
            f%gross_primary_production(first:last, 1) = sums%carbon(:n)
            f%radiative_temperature(first:last, 1) = radiative(:n)
            f%friction_velocity(first:last, 1) = sums%friction_velocity(:n)
            f%water_stress(first:last, 1) = sums%stress(:n)
            f%energy_balance_residual(first:last, 1) = residual(:n)
            q%infiltration(first:last, 1) = moved%infiltration(:n)
            q%surface_runoff(first:last, 1) = moved%surface_runoff(:n)
            q%subsurface_runoff(first:last, 1) = moved%drainage(:n)
            q%water_table_depth(first:last, 1) = table(:n)
            q%substeps(first:last, 1) = moved%substeps(:n)
            q%soil_water_total(first:last, 1) = soil(:n)
            q%soil_ice_total(first:last, 1) = frozen(:n)
            q%land_water(first:last, 1) = total(:n)
            q%water_balance_residual(first:last, 1) = &
               counted(:n) - work%storage_before(:n) - dt*(weather%rainfall(:n) + weather%snowfall(:n) + sums%irrigation(:n) &
                                                    - evaporated(:n) &
                                                    - moved%surface_runoff(:n) - moved%drainage(:n) - absorbed(:n))
         end associate
         if (model%irrigation%is_on) model%irrigation%irrigation(first:last, 1) = sums%irrigation(:n)
      end associate
   end subroutine store_step

   !> Snow and surface temperature of a chunk.
   subroutine store_snow_fluxes(model, first, n, snow, snow_flux, sums)
      type(column_model_type), intent(inout) :: model
      integer, intent(in) :: first !! first column
      integer, intent(in) :: n     !! valid lanes
      type(snow_chunk_type), intent(in) :: snow
      type(snow_flux_type), intent(in) :: snow_flux
      type(land_sums_type), intent(in) :: sums
      real(rk), dimension(w) :: mass, depth, surface
      integer :: k, last
      last = first + n - 1
      call snow_mass(snow, mass)
      depth = snow%cover*sum(snow%thickness(:, :snow%nsnow), 2)
      surface = snow%temperature(:, snow%nsnow)
      do k = snow%nsnow - 1, 1, -1
         surface = merge(snow%temperature(:, k), surface, k >= snow%top)
      end do
      associate (f => model%land_flux)
         f%snow_mass(first:last, 1) = mass(:n)
         f%snow_depth(first:last, 1) = depth(:n)
         f%snow_melt(first:last, 1) = snow_flux%melt(:n)
         f%snow_outflow(first:last, 1) = snow_flux%outflow(:n)
         f%ground_water_input(first:last, 1) = snow_flux%water_input(:n)
         f%snow_heat_flux(first:last, 1) = sums%snow_heat_gain(:n)
         f%sublimation(first:last, 1) = sums%sublimation(:n) + sums%canopy_sublimation(:n)
         f%heat_iterations(first:last, 1) = snow_flux%iterations(:n)
         f%ground_temperature(first:last, 1) = model%land%soil_temperature(first:last, 1) &
            + snow%cover(:n)*(surface(:n) - model%land%soil_temperature(first:last, 1))
      end associate
   end subroutine store_snow_fluxes

end module pl_column_store
